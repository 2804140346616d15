"""The only touch of the user's checkout."""

from __future__ import annotations

import pytest
from harness.scene import Scene, assert_says

from releaser.core.step import Done, Skipped, Todo
from releaser.steps.after.fast_forward import FastForward


def test_a_clean_branch_where_the_release_began_is_moved(scene: Scene) -> None:
    assert isinstance(scene.check(FastForward()), Todo)
    release = scene.with_release_commit()
    assert isinstance(scene.check(FastForward()), Todo)
    FastForward().run(release)
    assert isinstance(FastForward().verify(release), Done)
    assert scene.git("rev-parse", "main") == release.commit()
    assert scene.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda scene: scene.git("switch", "--quiet", "--create", "feature"), "main is not checked out"),
        (lambda scene: scene.git("switch", "--quiet", "--detach"), "main is not checked out"),
        (lambda scene: scene.git("commit", "--quiet", "--allow-empty", "--message", "More"), "has moved"),
        (lambda scene: scene.project.write("notes.txt", ""), "uncommitted changes"),
    ],
    ids=["another branch", "a detached HEAD", "another commit", "a changed file"],
)
def test_a_branch_that_somebody_works_on_stays_and_one_line_says_how_to_pull(scene: Scene, change, reason: str) -> None:
    scene.with_release_commit()
    change(scene)
    outcome = scene.check(FastForward())
    assert isinstance(outcome, Skipped)
    assert_says(outcome.reason, reason, "`git pull --ff-only origin main`")


def test_a_branch_that_has_the_commit_already_is_done(scene: Scene) -> None:
    release = scene.with_release_commit()
    scene.git("merge", "--quiet", "--ff-only", str(release.commit()))
    scene.project.write("notes.txt", "")
    assert isinstance(scene.check(FastForward()), Done)
