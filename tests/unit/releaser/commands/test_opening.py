"""What a command line can have wrong before a release is opened."""

from __future__ import annotations

import shutil

import pytest
from harness.scene import Scene

RELEASE = ("release", "--version", "0.2.0", "--yes")


class TestVersion:
    @pytest.mark.parametrize(
        ("version", "facts"),
        [
            ("1.2", ["'1.2'", "MAJOR.MINOR.PATCH", "1.2.0"]),
            ("v0.2.0", ["'v0.2.0'", "tag", "0.2.0"]),
            ("0.2.0-1", ["'0.2.0-1'", "PEP 440", "SemVer", "0.2.1"]),
            ("0.2.0+x", ["'0.2.0+x'", "PEP 440", "0.2.0"]),
        ],
    )
    def test_one_that_cannot_be_released_is_answered_with_one_that_can(
        self, scene: Scene, version: str, facts: list[str]
    ) -> None:
        scene.refuses("release", "--version", version, "--yes", says=facts)

    @pytest.mark.parametrize("task", ["release", "rehearse", "status", "rollback", "yank", "tag", "publish.pypi"])
    def test_a_missing_one_is_answered_with_what_could_be_next(self, scene: Scene, task: str) -> None:
        offered = "patch 0.1.1 minor 0.2.0 major 1.0.0 alpha 0.2.0-alpha.1 beta 0.2.0-beta.1 rc 0.2.0-rc.1"
        scene.refuses(task, says=["0.1.0", offered, "--version"])


class TestConfiguration:
    def test_a_wrong_key_is_answered_with_the_nearest(self, scene: Scene) -> None:
        scene.project.replace("pyproject.toml", "[tool.releaser]\n", "[tool.releaser]\nchangelogg = 1\npakage = 1\n")
        scene.refuses(*RELEASE, says=["[tool.releaser]", "changelogg (did you mean changelog?)", "pakage"])

    def test_a_pyproject_that_is_not_toml_is_shown_where(self, scene: Scene) -> None:
        scene.project.replace("pyproject.toml", "[tool.releaser]\n", "[tool.releaser\n")
        scene.refuses(*RELEASE, says=["pyproject.toml", "line 18, column 15"])

    def test_no_pyproject_at_all_is_told(self, scene: Scene) -> None:
        (scene.project.path / "pyproject.toml").unlink()
        scene.refuses(*RELEASE, says=["pyproject.toml", str(scene.project.path)])


class TestRepository:
    def test_one_without_a_remote_has_nowhere_to_release_to(self, scene: Scene) -> None:
        scene.git("remote", "remove", "origin")
        scene.refuses(*RELEASE, says=["origin", "`git remote add origin"])

    def test_a_directory_that_is_none_is_refused(self, scene: Scene) -> None:
        shutil.rmtree(scene.project.path / ".git")
        scene.refuses(*RELEASE, says=[str(scene.project.path), "git checkout", "clone"])
        assert not scene.state.exists()

    def test_one_without_a_commit_is_refused(self, scene: Scene) -> None:
        scene.git("update-ref", "-d", "refs/heads/main")
        scene.refuses(*RELEASE, says=["no commit", "Commit"])


class TestOptions:
    def test_an_unknown_step_to_skip_is_answered_with_the_nearest(self, scene: Scene) -> None:
        scene.refuses(*RELEASE, "--skip", "testpipi", says=["testpipi", "upload_testpypi"])

    @pytest.mark.parametrize(("word", "step"), [("push_tag", "push_tag"), ("preflight", "find_tools")])
    def test_a_step_that_others_need_cannot_be_skipped(self, scene: Scene, word: str, step: str) -> None:
        scene.refuses(*RELEASE, "--skip", word, says=[f"{step} cannot be skipped"])

    def test_an_unknown_step_to_require_is_answered_with_the_nearest(self, scene: Scene) -> None:
        scene.refuses(*RELEASE, "--require", "try_weel", says=["try_weel", "try_wheel"])

    @pytest.mark.parametrize(
        ("fault", "facts"),
        [
            ("nobody:delay=1", ["WHO:NAME[=VALUE]", "testpypi, pypi,"]),
            ("remote:explode", ["WHO:NAME[=VALUE]"]),
            ("remote:hold=long", ["--fault remote:hold=5"]),
            ("engine:kill-before=lunch", ["there is no step lunch"]),
        ],
    )
    def test_a_fault_that_does_not_exist_is_refused(self, scene: Scene, fault: str, facts: list[str]) -> None:
        scene.refuses("rehearse", "--version", "0.2.0", "--fault", fault, says=[f"--fault {fault}", *facts])
