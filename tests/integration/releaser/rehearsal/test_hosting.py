"""Before workflows are carried out, those of HEAD are read whole, and what indexes and forge know is written."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from harness.scene import Scene
from runner_hub import git

from releaser.adapters.docker import buildx
from releaser.adapters.git import Git
from releaser.config.load import load_config
from releaser.errors import UsageError
from releaser.rehearsal import hosting
from releaser.rehearsal.actions.python import find
from releaser.rehearsal.addresses import released_by_workflow
from releaser.rehearsal.registry import program

ROOT = Path(__file__).parents[4]


@pytest.fixture
def checkout(tmp_path: Path) -> Git:
    """A repository with this project's workflows."""
    folder = tmp_path / "checkout"
    (folder / ".github" / "workflows").mkdir(parents=True)
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        (folder / ".github" / "workflows" / path.name).write_text(path.read_text("utf-8"), "utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "First")
    return Git.at(folder)


@pytest.fixture
def engine(tmp_path: Path) -> None:
    if reason := program.program(tmp_path)[1] or buildx.unavailable(tmp_path):
        pytest.skip(reason)


def test_the_workflows_that_release_and_upload_are_carried_out(checkout, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    config = released_by_workflow(load_config(ROOT))
    assert (config.run, config.pypi.via, config.testpypi.via, config.images.via) == ("ci", "ci", "ci", "ci")
    found = hosting.carried(checkout, config, ["kill-after=release:6"])
    assert (found.names, found.images) == (("release.yml", "build-wheel.yml"), None)
    assert found.left_out.keys() == {"tests.yml", "docker-publish.yml"}
    assert found.left_out["docker-publish.yml"].startswith(("no container engine", "there is no docker-registry"))
    assert hosting.carried(checkout, config, quick=True).left_out["tests.yml"] == "--quick leaves out its sessions"


def test_the_workflow_of_images_is_carried_out_where_an_engine_and_a_registry_are(checkout, engine):
    found = hosting.carried(checkout, released_by_workflow(load_config(ROOT)), ["kill-before=start-arm64:1"])
    assert found.names == ("release.yml", "build-wheel.yml", "docker-publish.yml")
    assert found.images == "docker-publish.yml"
    assert found.left_out.keys() == {"tests.yml"}


def test_the_jobs_run_with_the_python_of_the_base_that_the_environment_names(checkout, engine, monkeypatch):
    base = os.environ.get("PYTHON_IMAGE") or os.environ.get("TEST_PYTHON_IMAGE")
    if not base:
        pytest.skip("no base image with Python is named: set TEST_PYTHON_IMAGE")
    monkeypatch.setenv("PYTHON_IMAGE", base)
    version = buildx.python_of_base(checkout.root)
    found = hosting.carried(checkout, released_by_workflow(load_config(ROOT)))
    if version == "3.12":
        assert found.pythons == {}
    elif find(version):
        assert found.pythons == {"3.12": version}
    else:
        assert f"has Python {version}, and this machine has none" in found.left_out["docker-publish.yml"]


def test_images_that_this_machine_pushes_need_no_workflow(checkout):
    config = load_config(ROOT)
    assert config.images.via == "push"
    found = hosting.carried(checkout, config)
    assert (found.names, found.left_out.keys()) == (("release.yml", "build-wheel.yml"), {"tests.yml"})


@pytest.mark.parametrize("kill", ["kill-after=release:60", "kill-before=nothing:1", "kill-before=build:0"])
def test_a_fault_at_a_step_that_there_is_not_is_refused(checkout, kill):
    with pytest.raises(UsageError, match="in the workflows that are carried out") as caught:
        hosting.carried(checkout, load_config(ROOT), [kill])
    assert caught.value.remedy.startswith("Name a job and one of its steps: build (1 to ")


def test_a_workflow_that_cannot_be_carried_out_is_refused_before_anything_starts(checkout):
    path = checkout.root / ".github" / "workflows" / "release.yml"
    path.write_text(path.read_text("utf-8").replace("    steps:", "    container: debian\n    steps:", 1), "utf-8")
    git(checkout.root, "commit", "--quiet", "--all", "--message", "A container")
    with pytest.raises(UsageError, match=r"release\.yml, line \d+: `container` is not carried out"):
        hosting.carried(checkout, load_config(ROOT))


def test_a_repository_without_workflows_is_refused(checkout):
    git(checkout.root, "rm", "--quiet", "-r", ".github")
    git(checkout.root, "commit", "--quiet", "--message", "None")
    with pytest.raises(UsageError, match="there is no workflow to rehearse"):
        hosting.carried(checkout, load_config(ROOT))


def test_environments_and_the_key_are_made_once(tmp_path):
    config = released_by_workflow(load_config(ROOT))
    for name in ("forge", "tokens"):
        (tmp_path / name).mkdir()
    (tmp_path / "forge" / "settings.json").write_text('{"immutable_releases": true}')
    keys = set()
    for _ in range(2):
        hosting.lay_out(tmp_path, config, ["release", "pages"])
        keys.add((tmp_path / "tokens" / hosting.KEY).read_text())
    assert len(keys) == 1
    settings = json.loads((tmp_path / "forge" / "settings.json").read_bytes())
    assert settings["immutable_releases"]
    assert settings["environments"]["release"]["branches"] == ["main"]
    assert settings["environments"]["release"]["tags"] == ["v*"]
    assert settings["environments"]["testpypi"]["tags"] == []
    assert settings["environments"]["pages"]["reviewers"]
    assert stat.S_IMODE((tmp_path / "tokens" / hosting.KEY).stat().st_mode) == 0o600


def test_a_publisher_is_pending_only_where_the_index_does_not_know_the_project(scene: Scene, tmp_path: Path) -> None:
    """As at PyPI, which refuses a pending publisher of a project that is there."""
    for path in scene.with_dists().built().uploads:
        scene.pypi.accept(path, "tiny-thing", "0.2.0")
    for name in ("pypi", "testpypi"):
        (tmp_path / "world" / name).mkdir(parents=True)
    hosting.register(tmp_path / "world", scene.release())
    written = [json.loads((tmp_path / "world" / name / "publishers.json").read_text()) for name in ("pypi", "testpypi")]
    assert [(one["environment"], one["pending"]) for (one,) in written] == [("release", False), ("testpypi", True)]
