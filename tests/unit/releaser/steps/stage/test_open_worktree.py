"""The working tree that a release is made in."""

from __future__ import annotations

import shutil

from harness.scene import Scene

from releaser.core.step import Done, Todo
from releaser.steps.stage.open_worktree import OpenWorktree


def test_a_tree_that_is_gone_is_checked_out_again(scene: Scene) -> None:
    release = scene.with_release_commit()
    shutil.rmtree(release.store.worktree)
    is_made_again(scene)


def test_a_tree_at_another_commit_is_checked_out_again(scene: Scene) -> None:
    release = scene.with_release_commit()
    scene.in_worktree("checkout", "--quiet", "--detach", "main")
    assert scene.in_worktree("rev-parse", "HEAD") != release.commit()
    is_made_again(scene)


def test_a_tree_that_a_killed_git_left_locked_is_checked_out_again(scene: Scene) -> None:
    scene.with_release_commit()
    (scene.project.path / ".git" / "worktrees" / "worktree" / "index.lock").touch()
    is_made_again(scene)


def test_a_tree_that_git_does_not_know_is_checked_out_again(scene: Scene) -> None:
    scene.with_release_commit()
    shutil.rmtree(scene.project.path / ".git" / "worktrees")
    is_made_again(scene)


def is_made_again(scene: Scene) -> None:
    release, step = scene.release(), OpenWorktree()
    assert isinstance(scene.check(step), Todo)
    step.run(release)
    assert isinstance(step.verify(release), Done)
    assert scene.in_worktree("rev-parse", "HEAD") == release.commit()
    assert scene.in_worktree("status", "--porcelain") == ""
