"""A push goes where fetches come from, and its login is accepted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from harness.scene import Scene

from releaser.core.step import Done
from releaser.steps.preflight.pushing import LogInToRemote, PushWhereAsked, WriteToGit

FETCHED = "https://github.com/someone/tiny-thing.git"


class TestPushWhereAsked:
    def test_a_remote_with_one_address_is_named(self, scene: Scene) -> None:
        assert scene.check(PushWhereAsked()) == Done(str(scene.origin))

    def test_another_push_address_is_refused(self, scene: Scene) -> None:
        scene.git("remote", "set-url", "--push", "origin", scene.others / "fork.git")
        scene.refused(PushWhereAsked(), "pushes to origin go to", "fork.git", remedy="--unset-all remote.origin")

    def test_one_more_push_address_is_refused(self, scene: Scene) -> None:
        scene.git("remote", "set-url", "--add", "--push", "origin", scene.origin)
        scene.git("remote", "set-url", "--add", "--push", "origin", "https://example.invalid/someone/tiny-thing")
        scene.refused(PushWhereAsked(), "example.invalid", remedy="`git config --unset-all remote.origin.pushurl`")
        scene.git("config", "--unset-all", "remote.origin.pushurl")
        assert isinstance(scene.check(PushWhereAsked()), Done)

    def test_pushes_that_are_sent_elsewhere_by_a_prefix_are_refused(self, scene: Scene) -> None:
        scene.git("config", "url./nowhere/.pushInsteadOf", f"{scene.origin.parent}/")
        scene.refused(PushWhereAsked(), f"/nowhere/{scene.origin.name}", remedy="pushInsteadOf")

    def test_one_more_address_of_the_remote_itself_is_refused(self, scene: Scene) -> None:
        scene.git("remote", "set-url", "--add", "origin", "https://example.invalid/someone/tiny-thing")
        scene.refused(PushWhereAsked(), "example.invalid", remedy="`git config --get-all remote.origin.url`")

    @pytest.mark.parametrize(
        "pushed",
        [
            "git@github.com:someone/tiny-thing.git",
            "ssh://git@github.com/someone/tiny-thing",
            "ssh://git@ssh.github.com:443/Someone/tiny-thing.git",
            "https://me:secret@github.com/someone/tiny-thing/",
        ],
    )
    def test_another_way_to_write_the_same_repository_is_accepted(self, scene: Scene, pushed: str) -> None:
        scene.git("remote", "set-url", "origin", FETCHED)
        scene.git("remote", "set-url", "--push", "origin", pushed)
        assert scene.check(PushWhereAsked()) == Done(FETCHED)

    @pytest.mark.parametrize(
        "pushed", ["git@github.com:else/tiny-thing.git", "git@gitlab.com:someone/tiny-thing.git", "/someone/tiny-thing"]
    )
    def test_another_repository_is_refused(self, scene: Scene, pushed: str) -> None:
        scene.git("remote", "set-url", "origin", FETCHED)
        scene.git("remote", "set-url", "--push", "origin", pushed)
        scene.refused(PushWhereAsked(), pushed, FETCHED, remedy="Run `git config --unset-all remote.origin.pushurl`")

    def test_a_path_that_is_written_otherwise_is_the_same(self, scene: Scene) -> None:
        scene.git("remote", "set-url", "--push", "origin", f"file://{scene.origin}")
        assert isinstance(scene.check(PushWhereAsked()), Done)


class TestLogInToRemote:
    def test_a_dry_run_proves_the_login_and_no_more(self, scene: Scene) -> None:
        outcome = scene.check(LogInToRemote())
        assert isinstance(outcome, Done)
        assert "unproven" in outcome.evidence

    def test_a_remote_that_cannot_be_pushed_to_is_refused(self, scene: Scene) -> None:
        scene.git("remote", "set-url", "--push", "origin", scene.others / "gone.git")
        scene.refused(LogInToRemote(), "a push to origin would fail", "gone.git", remedy="write access")

    def test_a_setting_of_the_push_that_the_remote_does_not_take_is_refused(self, scene: Scene) -> None:
        scene.git("config", "push.gpgSign", "true")
        scene.refused(LogInToRemote(), "does not support --signed push", remedy="a setting of the push")

    def test_once_the_tag_is_pushed_it_does_not_matter(self, scene: Scene) -> None:
        commit = scene.with_release_commit().must_have_commit()
        scene.git("push", "--quiet", "origin", f"{commit}:refs/tags/v0.2.0")
        scene.git("remote", "set-url", "--push", "origin", scene.others / "gone.git")
        assert scene.check(LogInToRemote()) == Done("v0.2.0 is pushed already")

    def test_hooks_do_not_run(self, scene: Scene) -> None:
        refuse(scene, "pre-push")
        assert isinstance(scene.check(LogInToRemote()), Done)


def refuse(scene: Scene, hook: str) -> None:
    folder = scene.project.path / ".git" / "hooks"
    folder.mkdir(exist_ok=True)
    (folder / hook).write_text("#!/bin/sh\necho no from the hook >&2\nexit 1\n")
    (folder / hook).chmod(0o755)


@pytest.mark.parametrize("place", ["refs", "objects", "refs/tags"])
def test_a_git_directory_that_cannot_be_written_is_refused_before_anything_is_public(scene: Scene, place: str) -> None:
    path = scene.project.path / ".git" / place
    assert isinstance(scene.check(WriteToGit()), Done)

    def access(asked: Path, mode: int) -> bool:  # root may write everywhere: the system's answer is what matters
        return asked != path or not mode & os.W_OK

    scene.patch.setattr("os.access", access)
    scene.refused(WriteToGit(), f"git cannot write to {path}", remedy="Change the permissions")
