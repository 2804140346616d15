"""The built files are the commit's, whatever the machine is set to."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from harness.projects import git
from harness.scene import Scene

from releaser.core.step import Done
from releaser.errors import StepError
from releaser.release import Release
from releaser.steps.build.build_dists import BuildDists
from releaser.steps.build.inspect_dists import InspectDists

_SPY = """

def packaged():
    import datetime, locale, time
    Path("src/tiny_thing/made.txt").write_text(f"{time.tzname} {os.umask(0o022):o} {locale.getlocale()} {hash('x')}")
    return _packaged()
"""


def built(release: Release) -> dict[str, str]:
    BuildDists().run(release)
    return release.built().upload_sha256


def rebuilt(scene: Scene) -> dict[str, str]:
    """Build the same release commit in another clone, with a state of its own."""
    bundle = scene.release().store.bundle.read_bytes()
    another = replace(scene.in_another_clone(), state=scene.state.with_name("other-state")).release()
    another.store.path.mkdir(parents=True)
    another.store.bundle.write_bytes(bundle)
    another.add_worktree(another.tree, another.must_have_commit())
    return built(another)


def test_two_machines_with_different_settings_build_the_same_bytes(scene: Scene, tmp_path: Path) -> None:
    scene.project.write("src/tiny_thing/data.csv", "a\nb\n")
    scene.project.replace("backend.py", "def packaged():", "def _packaged():")
    scene.project.replace("backend.py", "import io\n", "import io\nimport os\n")
    text = (scene.project.path / "backend.py").read_text("utf-8")
    scene.project.write("backend.py", text + _SPY)
    scene.project.commit("Tell where it is built")
    first = built(scene.with_release_commit())
    hostile = tmp_path / "hostile"
    hostile.write_text("[core]\n\tautocrlf = true\n[user]\n\tname = Other\n\temail = o@localhost\n")
    scene.set(
        GIT_CONFIG_GLOBAL=str(hostile),
        TZ="Asia/Tokyo",
        LC_ALL="de_DE.UTF-8",
        LANG="C",
        PYTHONHASHSEED="7",
        PYTHONUTF8="0",
    )
    before = os.umask(0o077)
    try:
        assert rebuilt(scene) == first
    finally:
        os.umask(before)


def test_what_the_commit_holds_is_inspected_and_the_evidence_names_what_the_build_makes(scene: Scene) -> None:
    release = scene.with_dists()

    InspectDists().run(release)

    outcome = InspectDists().check(release)
    assert isinstance(outcome, Done)
    commit = str(release.commit())[:12]
    assert f"compared with commit {commit}: 8 files have exactly the content" in outcome.evidence
    assert "made by the build: PKG-INFO, tiny_thing-0.2.0.dist-info" in outcome.evidence


def test_files_that_agree_with_the_tree_but_not_with_the_commit_are_refused(scene: Scene) -> None:
    release = scene.with_release_commit()
    for name in ("README.md", "src/tiny_thing/__init__.py"):
        path = release.tree / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    git(release.tree, "update-index", "--assume-unchanged", "README.md", "src/tiny_thing/__init__.py")

    release = scene.with_dists()

    with pytest.raises(StepError, match="not those of commit") as caught:
        InspectDists().run(release)
    assert caught.value.message.count(" differs from ") == 3


def test_a_tree_that_a_hook_has_written_to_is_written_again_before_the_build(scene: Scene) -> None:
    hook = scene.project.path / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho hooked >src/tiny_thing/hooked.py\necho >>README.md\n")
    hook.chmod(0o755)
    release = scene.with_release_commit()
    assert (release.tree / "src" / "tiny_thing" / "hooked.py").exists()

    BuildDists().run(release)

    InspectDists().run(release)
    assert not (release.tree / "src" / "tiny_thing" / "hooked.py").exists()


def test_a_namespace_package_is_released(scene: Scene) -> None:
    (scene.project.path / "src" / "acme").mkdir()
    scene.git("mv", "src/tiny_thing", "src/acme/tiny")
    scene.project.replace("backend.py", "src/tiny_thing", "src/acme/tiny")
    scene.project.replace("backend.py", "tiny_thing:main", "acme.tiny:main")
    scene.project.replace("pyproject.toml", "[tool.releaser]\n", '[tool.releaser]\npackage = "acme.tiny"\n')
    scene.project.replace("pyproject.toml", "src/tiny_thing/__init__.py", "src/acme/tiny/__init__.py")
    scene.project.commit("Share a namespace")

    release = scene.with_dists()

    InspectDists().run(release)


class TestCheckout:
    def test_invoke_build_says_what_is_not_as_it_is_stored(self, scene: Scene) -> None:
        path = scene.project.path / "README.md"
        scene.git("config", "core.autocrlf", "true")
        scene.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor")
        scene.git("commit", "--quiet", "--message", "Record a submodule that is not checked out")
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

        ran = scene.run("build")

        assert ran.code == 0, ran.text
        assert f"Not built as commit {scene.project.head()[:12]} stores them: README.md, vendor\n" in ran.out
        assert "compared with the checkout as it is" in ran.words
