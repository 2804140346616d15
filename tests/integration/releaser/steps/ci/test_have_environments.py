"""Environments that do not exist are refused before a workflow is started whose jobs they protect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness.scene import Scene

from releaser.core.step import Conflict, Done, Skipped
from releaser.rehearsal.injection import Injection, RequestFault
from releaser.steps.ci.have_environments import HaveEnvironments

RELEASE = """\
on: {workflow_dispatch: {inputs: {version: {type: string}}}}
permissions: {}
jobs:
  build:
    runs-on: ubuntu-latest
    steps: []
  publish:
    name: Tag and release
    runs-on: ubuntu-latest
    environment: release
    permissions: {contents: write}
    steps: []
"""
UPLOAD = RELEASE.replace("Tag and release", "PyPI")


@pytest.fixture
def by_ci(scene: Scene) -> Scene:
    """The project with `run = "ci"` and its workflows."""
    scene.project.write(".github/workflows/release.yml", RELEASE)
    scene.project.write(".github/workflows/publish.yml", UPLOAD)
    scene.project.replace(
        "pyproject.toml", "[tool.releaser.pypi]\n", '[tool.releaser.pypi]\nworkflow = "publish.yml"\n'
    )
    scene.project.configure("[tool.releaser]\n", '[tool.releaser]\nrun = "ci"\n')
    return scene


def have(scene: Scene, *names: str) -> None:
    rules: dict[str, Any] = {"branches": ["main"], "reviewers": ["maintainer"]}
    (scene.forge.folder / "settings.json").write_text(json.dumps({"environments": dict.fromkeys(names, rules)}))


def test_one_that_does_not_exist_is_a_conflict_that_names_its_jobs(by_ci: Scene) -> None:
    have(by_ci, "another")
    outcome = by_ci.check(HaveEnvironments())
    assert isinstance(outcome, Conflict)
    assert "environment release for Tag and release (release.yml), PyPI (publish.yml)" in outcome.what
    assert "`invoke setup`" in outcome.remedy


def test_nothing_is_dispatched_without_it(by_ci: Scene) -> None:
    ran = by_ci.run("release", "--version", "0.2.0", "--yes")
    assert ran.code == 3, ran.text
    assert "does not have: environment release" in ran.text
    assert by_ci.forge.count("POST /repos/someone/tiny-thing/actions/workflows/release.yml/dispatches") == 0


def test_the_environment_of_the_workflow_that_uploads_is_asked_for_in_a_release_from_here(scene: Scene) -> None:
    scene.project.write(".github/workflows/publish.yml", UPLOAD)
    scene.project.configure("[tool.releaser.pypi]\n", '[tool.releaser.pypi]\nvia = "ci"\nworkflow = "publish.yml"\n')
    ran = scene.run("release", "--version", "0.2.0", "--yes")
    assert ran.code == 3, ran.text
    assert "does not have: environment release for PyPI (publish.yml)" in ran.text


def test_one_that_exists_is_right_in_whatever_case(by_ci: Scene) -> None:
    have(by_ci, "Release")
    assert by_ci.check(HaveEnvironments()) == Done("release")


def test_what_the_forge_does_not_tell_is_unproven(by_ci: Scene) -> None:
    fault = RequestFault.parse("GET:/environments:1+:before:status=404")
    by_ci.forge.serve(by_ci.forge.folder, by_ci.project.origin, injections=[Injection(fault, by_ci.forge.folder)])
    told = "the forge does not tell its environments: they are unproven (release)"
    assert by_ci.check(HaveEnvironments()) == Done(told)


def test_a_name_that_only_the_run_knows_is_unproven(by_ci: Scene) -> None:
    computed = RELEASE.replace("environment: release", "environment: ${{ inputs.version }}")
    by_ci.project.write(".github/workflows/release.yml", computed)
    by_ci.project.commit("Choose the environment")
    have(by_ci, "release")
    assert by_ci.check(HaveEnvironments()) == Done("release; whether ${{ inputs.version }} exists is unproven")


def test_without_a_workflow_or_an_environment_there_is_nothing_to_ask(scene: Scene) -> None:
    assert scene.check(HaveEnvironments()) == Skipped("no job of a workflow that takes part names one")
