from __future__ import annotations

import shutil

from harness.scene import Scene

from releaser.core.step import Done, Todo
from releaser.steps.after.remove_worktree import RemoveWorktree
from releaser.steps.stage.open_worktree import OpenWorktree


def test_the_working_tree_is_removed(scene: Scene) -> None:
    release = scene.with_release_commit()
    assert isinstance(scene.check(RemoveWorktree()), Todo)
    RemoveWorktree().run(release)
    assert isinstance(scene.check(RemoveWorktree()), Done)
    assert len(scene.git("worktree", "list").splitlines()) == 1


def test_git_forgets_a_working_tree_whose_directory_somebody_has_deleted(scene: Scene) -> None:
    release = scene.with_release_commit()
    shutil.rmtree(release.store.worktree)
    assert isinstance(scene.check(RemoveWorktree()), Todo)
    RemoveWorktree().run(release)
    assert isinstance(scene.check(RemoveWorktree()), Done)
    assert len(scene.git("worktree", "list").splitlines()) == 1


def test_a_step_that_becomes_possible_later_gets_a_working_tree_all_the_same(scene: Scene) -> None:
    release = scene.with_dists()
    RemoveWorktree().run(release)
    assert isinstance(scene.check(OpenWorktree()), Done)
    with release.store.scratch("build_images") as room, release.pristine_tree(room, release.must_have_commit()) as tree:
        assert (tree / "pyproject.toml").exists()
    with release.store.scratch("build") as room, release.source_tree(room) as tree:
        assert (tree / "pyproject.toml").exists()
