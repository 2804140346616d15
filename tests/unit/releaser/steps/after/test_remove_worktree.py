from __future__ import annotations

from harness.scene import Scene

from releaser.core.step import Done, Todo
from releaser.steps.after.remove_worktree import RemoveWorktree


def test_the_working_tree_is_removed(scene: Scene) -> None:
    release = scene.with_release_commit()
    assert isinstance(scene.check(RemoveWorktree()), Todo)
    RemoveWorktree().run(release)
    assert isinstance(scene.check(RemoveWorktree()), Done)
    assert len(scene.git("worktree", "list").splitlines()) == 1
