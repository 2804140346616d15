"""This project's own docker-publish.yml, unedited, in a rehearsal of a tiny project: built, started, pushed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from harness.projects import Project

from releaser.adapters.docker import buildx
from releaser.rehearsal.registry import program

from .test_image_steps import BAKE, BASE, DOCKERFILE

ROOT = Path(__file__).parents[4]
WORKFLOW = ".github/workflows/docker-publish.yml"
IMAGES = """
[tool.releaser.images]
repository = "registry.invalid/team/thing"
bake-file = "bake.hcl"
token-env = "GITHUB_TOKEN"
via = "ci"
targets = [{ name = "plain" }]
"""
OTHER = """\
on: {workflow_dispatch: }
permissions: {}
jobs: {one: {runs-on: ubuntu-latest, steps: [{run: "true"}]}}
"""
# What users install has tests of its own.
SKIP = [word for step in ("try_testpypi", "install_from_pypi", "upgrade_from_pypi") for word in ("--skip", step)]


@pytest.fixture
def with_workflow(tiny_project: Project) -> Project:
    """The tiny project with an image, and with the workflow that publishes this project's images."""
    project = tiny_project
    workflow = (ROOT / WORKFLOW).read_text("utf-8")
    project.write(WORKFLOW, workflow)
    for requirements in set(re.findall(r"-r (\S+)", workflow)):
        project.write(requirements, "")
    project.write("pyproject.toml", (project.path / "pyproject.toml").read_text("utf-8") + IMAGES)
    project.write("backend.py", (project.path / "backend.py").read_text("utf-8") + "\n\nbuild_editable = build_wheel\n")
    project.write("bake.hcl", BAKE)
    project.write("Dockerfile", DOCKERFILE)
    project.commit("Images by a workflow")
    return project


def rehearse(invoke, project: Project, **env: str):
    # Jobs find `invoke` where the tests do: the tiny project's own environment has none.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    words = ("rehearse", "--version", "0.2.0", "--as", "configured", *SKIP)
    return invoke(project.path, *words, env={"PATH": path, "PYTHON_IMAGE": BASE, **env})


def test_a_tag_has_the_workflow_build_start_push_and_verify_images_with_the_permissions_of_each_job(
    with_workflow, invoke, tmp_path
):
    if reason := program.program(tmp_path)[1] or buildx.unavailable(tmp_path):
        pytest.skip(reason)
    builders = ["docker", "buildx", "ls", "--format", "{{.Name}}"]
    before = subprocess.run(builders, capture_output=True, text=True, check=True).stdout

    ended = rehearse(invoke, with_workflow)

    assert ended.status == 0, ended.err + ended.out
    for job in (
        "Build the wheel again from the tag: passed in .*; used contents: read",
        "Build the images and start those for amd64: passed in .*; used contents: read",
        "Start those for arm64: passed in .*; used contents: read",
        "Push: passed in .*; used contents: read, packages: write",
        "Attest the images: passed in .*; used attestations: write, contents: read, id-token: write, packages: read",
        "Verify what users get: passed in .*; used contents: read, packages: read",
    ):
        assert re.search(job, ended.out), ended.out
    assert "- docker buildx create: the builder of this machine built" in ended.out
    assert "- arm64: its images ran emulated" in ended.out
    assert subprocess.run(builders, capture_output=True, text=True, check=True).stdout == before
    world = invoke.state / "rehearsals"
    (tags,) = world.glob("*/registry/docker/registry/v2/repositories/team/thing/_manifests/tags")
    assert {one.name for one in tags.iterdir()} == {"0.2.0", "0.2", "latest"}
    ends = {one["step"]: one["outcome"] for one in journal(world) if one["event"] == "finished"}
    assert (ends["push_images"], ends["verify_images"]) == ("done", "done")


def test_without_an_engine_the_images_are_left_out_which_is_said_at_once_and_in_the_report(with_workflow, invoke):
    with_workflow.write(".github/workflows/release.yml", OTHER)
    with_workflow.commit("Another workflow, which needs no engine")
    ended = rehearse(invoke, with_workflow, DOCKER_HOST="unix:///nowhere.sock")

    assert ended.status == 0, ended.err
    why = r"(no container engine at .*|there is no docker-registry program here.*)"
    assert re.search(rf"^The rehearsal does not carry out docker-publish\.yml: {why}\.$", ended.out, re.MULTILINE), (
        ended.out
    )
    assert re.search(r"^- docker-publish\.yml: skipped; push of v0\.2\.0", ended.out, re.MULTILINE), ended.out
    assert "- docker-publish.yml: it was not carried out" in ended.out
    ends = {one["step"]: one["outcome"] for one in journal(invoke.state / "rehearsals") if one["event"] == "finished"}
    assert (ends["push_images"], ends["verify_images"]) == ("skipped", "skipped")


def journal(rehearsals: Path) -> list[dict[str, str]]:
    (path,) = rehearsals.glob("*/state/**/journal.jsonl")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
