"""The only touch of the user's checkout."""

from __future__ import annotations

import pytest
from harness.scene import Scene, assert_says

from releaser.core.runner import Runner
from releaser.core.step import Done, Phase, Todo, Warned, in_order
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
    ("change", "reason", "remedy"),
    [
        (
            lambda scene: scene.git("switch", "--quiet", "--create", "feature"),
            "main is not checked out",
            "`git switch main`, then `git pull --ff-only origin main`",
        ),
        (lambda scene: scene.git("switch", "--quiet", "--detach"), "main is not checked out", "`git switch main`"),
        (
            lambda scene: scene.git("commit", "--quiet", "--allow-empty", "--message", "More"),
            "has moved",
            "`git pull --rebase origin main`",
        ),
        (
            lambda scene: scene.project.write("notes.txt", ""),
            "uncommitted changes",
            "Commit or stash them, then run `git pull --ff-only origin main`",
        ),
    ],
    ids=["another branch", "a detached HEAD", "another commit", "a changed file"],
)
def test_a_branch_that_somebody_works_on_stays_and_one_line_says_how_to_pull(
    scene: Scene, change, reason: str, remedy: str
) -> None:
    scene.with_release_commit()
    change(scene)
    outcome = scene.check(FastForward())
    assert isinstance(outcome, Warned)
    assert_says(outcome.reason, reason)
    assert_says(outcome.remedy, remedy)


def hold_the_index(scene: Scene) -> None:
    (scene.project.path / ".git" / "index.lock").touch()


@pytest.mark.parametrize(
    ("prevent", "reason"),
    [
        (lambda scene: scene.git("config", "merge.verifySignatures", "true"), "does not have a GPG signature"),
        (hold_the_index, "index.lock"),
    ],
    ids=["only signed commits may be merged", "another git runs"],
)
def test_what_git_refuses_is_a_warning_with_the_command_for_later(scene: Scene, prevent, reason: str) -> None:
    release = scene.with_release_commit()
    before = scene.project.head()
    prevent(scene)
    runner = Runner((Phase("after", "wrapped up", in_order(FastForward())),), release)
    (result,) = runner.run(lambda _: None)
    assert isinstance(result.outcome, Warned)
    assert_says(result.outcome.reason, "git did not move main to the release commit", reason)
    assert_says(result.outcome.remedy, f"run `git merge --ff-only {str(release.commit())[:12]}`")
    assert scene.project.head() == before


def test_a_branch_that_has_the_commit_already_is_done(scene: Scene) -> None:
    release = scene.with_release_commit()
    scene.git("merge", "--quiet", "--ff-only", str(release.commit()))
    scene.project.write("notes.txt", "")
    assert isinstance(scene.check(FastForward()), Done)
