"""The user's pre-push hook is tried before anything is public."""

from __future__ import annotations

import pytest
from harness.scene import Scene

from releaser.core.step import Done, Skipped, Todo
from releaser.errors import StepError
from releaser.steps.qualify.try_push_hook import TryPushHook


def test_without_a_hook_there_is_nothing_to_try(scene: Scene) -> None:
    assert scene.check(TryPushHook()) == Done("there is no pre-push hook")


def test_the_hook_of_git_lfs_is_not_run_because_it_sends_files(scene: Scene) -> None:
    add(scene, 'git lfs pre-push "$@"')
    outcome = scene.check(TryPushHook())
    assert isinstance(outcome, Skipped)
    assert "sends files even in a dry run" in outcome.reason


def test_a_hook_sees_what_it_will_see_and_nothing_is_pushed(scene: Scene) -> None:
    seen = scene.others / "seen"
    add(scene, f"cat > {seen}")
    release, before = scene.with_dists(), scene.at_origin("for-each-ref")
    assert isinstance(scene.check(TryPushHook()), Todo)
    TryPushHook().run(release)
    assert isinstance(scene.check(TryPushHook()), Done)
    assert scene.at_origin("for-each-ref") == before
    commit = release.must_have_commit()
    assert [line.split()[1:3] for line in seen.read_text().splitlines()] == [
        [commit, "refs/heads/main"],
        [commit, "refs/tags/v0.2.0"],
    ]


def test_a_hook_that_refuses_fails_it_in_the_hooks_words(scene: Scene) -> None:
    add(scene, "echo no Friday releases >&2; exit 1")
    with pytest.raises(StepError) as caught:
        TryPushHook().run(scene.with_dists())
    assert "no Friday releases" in caught.value.message
    assert "nothing is public yet" in caught.value.remedy


def add(scene: Scene, script: str) -> None:
    hook = scene.project.path / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    scene.others.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)
