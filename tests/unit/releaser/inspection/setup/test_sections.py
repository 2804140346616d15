"""What `invoke setup` prints: exact values, from the configuration and the workflow files."""

from __future__ import annotations

import pytest
from harness.scene import Ran, Scene

RELEASE = """\
name: release
on: workflow_dispatch
permissions: {}
jobs:
  testpypi:
    name: Upload to TestPyPI
    runs-on: ubuntu-latest
    environment: testpypi
    permissions:
      id-token: write
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789
      - run: invoke ci.testpypi
  release:
    name: Push and publish
    runs-on: ubuntu-latest
    environment:
      name: release
    permissions: {contents: write}
    steps:
      - uses: someone-else/tool@0123456789012345678901234567890123456789
      - run: invoke ci.release
  attest:
    runs-on: ${{ matrix.machine }}
    strategy:
      matrix:
        machine: [ubuntu-24.04-arm, macos-15]
    permissions: {id-token: write, attestations: write}
    steps: []
"""
PUBLISH = """\
name: publish
on:
  release: {types: [published]}
  workflow_dispatch:
permissions: {}
jobs:
  upload:
    runs-on: ubuntu-latest
    environment: release
    permissions: {id-token: write}
    steps: []
"""
CI = '[tool.releaser]\nrun = "ci"\n'
PYPI = '[tool.releaser.pypi]\nvia = "ci"\nworkflow = "publish.yml"\nenvironment = "release"\n'


@pytest.fixture
def setup(scene: Scene) -> Scene:
    """The project with both workflows."""
    scene.project.write(".github/workflows/release.yml", RELEASE)
    scene.project.write(".github/workflows/publish.yml", PUBLISH)
    scene.project.replace("pyproject.toml", "[tool.releaser]\n", CI)
    scene.project.replace("pyproject.toml", "[tool.releaser.pypi]\n", PYPI)
    return scene


def section(ran: Ran, title: str) -> str:
    found = [block for block in ran.out.split("\n\n") if block.startswith(title)]
    assert len(found) == 1, ran.text
    return found[0]


def values(text: str) -> dict[str, str]:
    lines = [line.strip().partition("  ") for line in text.splitlines() if line.startswith("    ")]
    return {name: value.strip() for name, _, value in lines}


def test_each_index_gets_the_workflow_and_the_environment_of_the_job_that_uploads_there(setup: Scene) -> None:
    ran = setup.run("setup")
    assert ran.code == 0, ran.text
    common = {"Owner": "someone", "Repository name": "tiny-thing"}
    assert values(section(ran, "PyPI: trusted publisher")) == {
        "PyPI project name": "tiny-thing",
        **common,
        "Workflow name": "publish.yml",
        "Environment name": "release",
    }
    assert values(section(ran, "TestPyPI: trusted publisher")) == {
        "TestPyPI project name": "tiny-thing",
        **common,
        "Workflow name": "release.yml",
        "Environment name": "testpypi",
    }
    assert "/manage/account/publishing/ before the project's first upload" in ran.out
    assert "/manage/project/tiny-thing/settings/publishing/ afterwards" in ran.out


def test_an_environment_is_limited_to_where_the_workflows_that_use_it_start(setup: Scene) -> None:
    ran, limit = setup.run("setup"), "Deployment branches and tags"
    release, testpypi = section(ran, "GitHub: environment release"), section(ran, "GitHub: environment testpypi")
    assert values(release)[limit] == "Selected branches and tags: branch main, tag v*"
    assert "Protects: upload (publish.yml), Push and publish (release.yml)." in release
    assert values(testpypi)[limit] == "Selected branches and tags: branch main"
    assert values(testpypi)["Required reviewers"]
    at_tag = "A workflow that is altered in the commit of such a tag is let in, too: look at a run's commit before"
    assert at_tag in " ".join(release.split())
    assert at_tag not in " ".join(testpypi.split())


def test_rules_let_those_push_who_release(setup: Scene) -> None:
    ran = setup.run("setup")
    branch, tags = section(ran, "GitHub: rules for the branch main"), section(ran, "GitHub: rules for the tags v*")
    assert values(branch)["Require a pull request"] == "off"
    assert "pushed by the workflow's own token, in Push and publish (release.yml)" in branch
    assert values(tags)["Restrict creations"] == "off"

    setup.project.replace("pyproject.toml", CI, "[tool.releaser]\n")
    ran = setup.run("setup")
    assert (
        values(section(ran, "GitHub: rules for the tags v*"))["Restrict creations"] == "on; those who release bypass it"
    )


def test_actions_and_machines_are_those_that_the_workflows_name(setup: Scene) -> None:
    told = section(setup.run("setup"), "GitHub: Actions")
    found = values(told)
    assert found["Allowed actions"] == "those created by GitHub, someone-else/tool@*"
    reads = "give `contents: read` to what checks it out: Upload to TestPyPI (release.yml)."
    assert reads in " ".join(told.split())
    assert found["Runners"] == "macos-15, ubuntu-24.04-arm"


def test_what_a_private_repository_has_only_with_a_larger_plan_is_said(setup: Scene) -> None:
    plan = "A private repository needs GitHub Enterprise for required reviewers and for attestations"
    assert plan in " ".join(section(setup.run("setup"), "GitHub: Actions").split())
    setup.project.replace(".github/workflows/release.yml", "attestations: write", "contents: read")
    told = " ".join(section(setup.run("setup"), "GitHub: Actions").split())
    assert "needs GitHub Enterprise for required reviewers." in told


def test_a_project_that_uploads_with_tokens_needs_those_alone(scene: Scene) -> None:
    ran = scene.run("setup")
    assert ran.code == 0, ran.text
    assert "trusted publisher" not in ran.out
    tokens = values(section(ran, "This machine: tokens"))
    assert tokens == {
        "GITHUB_TOKEN": "contents: write, issues: write in someone/tiny-thing",
        "TESTPYPI_TOKEN": "uploads to TestPyPI",
        "PYPI_TOKEN": "uploads to PyPI",
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("environment: release", "environment: other", "has the environment release (found: other)"),
        ("    environment: release\n", "", "has the environment release (found: none)"),
        ("{id-token: write}", "{contents: read}", "publish.yml has no `id-token: write`"),
        ("permissions: {id-token: write}", "permissions: write-all", "upload (publish.yml) may write everything"),
    ],
)
def test_what_would_not_work_is_named(setup: Scene, old: str, new: str, says: str) -> None:
    setup.project.replace(".github/workflows/publish.yml", old, new)
    ran = setup.run("setup")
    assert ran.code == 1
    assert says in ran.out
    assert says in ran.words


def test_an_uploader_without_environment_is_refused_where_none_is_configured_either(setup: Scene) -> None:
    setup.project.replace("pyproject.toml", 'environment = "release"\n', "")
    setup.project.replace(".github/workflows/publish.yml", "    environment: release\n", "")
    ran = setup.run("setup")
    assert ran.code == 1
    assert "anyone who may write to the repository can change the file on a branch and upload from there" in ran.words


def test_a_file_that_is_no_workflow_is_named(setup: Scene) -> None:
    setup.project.write(".github/workflows/odd.yml", "on: push\njobs: [")
    ran = setup.run("setup")
    assert ran.code == 2
    assert ".github/workflows/odd.yml is no workflow" in ran.words
