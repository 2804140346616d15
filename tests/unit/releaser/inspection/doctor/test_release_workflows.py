from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from releaser.adapters.forge.workflow_file import parse_workflow, read_workflows
from releaser.adapters.git import Git
from releaser.config.load import load_config, parse_config
from releaser.inspection.doctor.release_workflows import look_at_release_workflows
from releaser.inspection.findings import Finding
from releaser.release import Release
from releaser.secret import Credentials
from releaser.store import ReleaseStore
from releaser.versions.version import Version

ROOT = Path(__file__).parents[5]
HEAD = """
run-name: Release ${{ inputs.version }}
on:
  workflow_dispatch:
    inputs:
      version: {required: true}
permissions: {}
jobs:
"""
JOB = """
  publish:
    runs-on: ubuntu-latest
    environment: release
    permissions: {contents: write, id-token: write}
    steps: [{run: invoke ci.release}]
"""
BY_TAG = """
on: {push: {tags: ["v*"]}}
permissions: {}
jobs:
  push:
    runs-on: ubuntu-latest
    environment: release
    permissions: {packages: write, id-token: write}
    steps: [{run: COMMAND}]
"""
CI = {"run": "ci", "pypi": {"workflow": "release.yml"}}
IMAGES = {"repository": "registry.example/demo", "targets": [{"name": "one"}]}


def look(config: dict[str, Any], **texts: str) -> list[Finding]:
    parsed = parse_config({"version-files": [{"path": "pyproject.toml", "key": "v"}], **config}, {"name": "demo"})
    store = ReleaseStore(Path("nowhere"))
    release = Release(parsed, Version(1, 0, 0), Git(Path("nowhere")), store, Credentials({}))
    files = {f"{name}.yml": parse_workflow(f"{name}.yml", text) for name, text in texts.items()}
    return [one for notes in look_at_release_workflows(release, files) for one in notes.found]


def wrong(found: list[Finding]) -> str:
    return "\n".join(f"{one.name}: {one.says} -> {one.remedy}" for one in found if one.kind == "wrong")


def test_a_job_with_what_it_may_do_in_an_environment_is_right() -> None:
    (found,) = look(CI, release=HEAD + JOB)

    assert (found.kind, found.says) == ("right", "publish: contents, id-token in release")


def test_the_workflows_of_this_project_are_right() -> None:
    config = load_config(ROOT)
    images = config.images.model_copy(update={"via": "ci"})
    release = Release(
        config.model_copy(update={"run": "ci", "images": images}),
        Version(9, 0, 0),
        Git(ROOT),
        ReleaseStore(Path("nowhere")),
        Credentials({}),
    )
    found = [one for notes in look_at_release_workflows(release, read_workflows(ROOT)) for one in notes.found]

    assert {one.name: one.kind for one in found} == dict.fromkeys(
        ("release.yml", "build-wheel.yml", "docker-publish.yml"), "right"
    )


def test_a_file_that_is_not_there_is_named() -> None:
    assert "release.yml: .github/workflows/release.yml does not exist" in wrong(look(CI))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("workflow_dispatch:", "workflow_call:", "cannot be dispatched"),
        ("version:", "number:", "has no input named version"),
        ("run-name", "x-name", "GitHub tells no run's inputs"),
        ("    environment: release\n", "", "'publish' has `contents: write` and `id-token: write` and no environment"),
        ("permissions: {contents: write, id-token: write}", "permissions: write-all", "does not say what its token"),
        ("invoke ci.release", "nox -s unit", "'publish' has `contents: write` and `id-token: write` and runs nox"),
    ],
)
def test_what_is_wrong_with_one_is_named_with_its_job(old: str, new: str, says: str) -> None:
    assert says in wrong(look(CI, release=(HEAD + JOB).replace(old, new, 1)))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    permissions: {contents: write, id-token: write}\n", "", "no job may write anything"),
        (
            "    environment: release\n    permissions: {contents:",
            "    permissions: {attestations:",
            "attestations, id-",
        ),
    ],
)
def test_what_publishes_nothing_needs_no_environment(old: str, new: str, says: str) -> None:
    (found,) = look(CI, release=(HEAD + JOB).replace(old, new, 1))

    assert found.kind == "right"
    assert says in found.says


def test_a_file_without_permissions_has_those_of_the_repositorys_settings() -> None:
    text = (
        (HEAD + JOB)
        .replace("permissions: {}\n", "")
        .replace("    permissions: {contents: write, id-token: write}\n", "")
    )

    assert "may do what the repository's settings say" in wrong(look(CI, release=text))


@pytest.mark.parametrize(
    ("config", "command", "says"),
    [
        ({}, "twine upload dist/*", "and so does this machine: two owners"),
        ({"pypi": {"via": "ci", "workflow": "release.yml"}}, "twine upload dist/*", "and so does release.yml"),
        ({"images": IMAGES}, "docker push", "two owners of one tag"),
        ({"images": IMAGES}, "invoke docker.due", ""),
        ({"images": {**IMAGES, "via": "ci", "workflow": "other.yml"}}, "docker push", "cannot be dispatched"),
    ],
)
def test_another_owner_of_the_same_thing_is_found(config: dict[str, Any], command: str, says: str) -> None:
    found = wrong(look(config, other=BY_TAG.replace("COMMAND", command), release=HEAD + JOB))

    assert says in found
    assert bool(found) == bool(says)
