"""A branch that others have rewritten since the release was published."""

from __future__ import annotations

from harness.scene import Scene, assert_says
from harness.wheels import other_wheel

from releaser.core.step import Warned
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag


def test_before_publication_it_is_refused_and_after_it_a_warning(scene: Scene) -> None:
    release, before = scene.with_release_commit(), scene.project.head()
    CreateTag().run(release)
    PushTag().run(release)
    scene.git("push", "--quiet", "--force", "origin", f"{before}:refs/heads/main")
    scene.others_push()
    scene.refused(PushTag(), "origin/main has moved", remedy="`invoke rollback --version 0.2.0`")

    scene.pypi.accept(other_wheel(scene.others), "tiny-thing", "0.2.0")
    outcome = scene.check(PushTag())
    assert isinstance(outcome, Warned)
    assert_says(outcome.reason, "origin/main has moved to", "no longer has v0.2.0")
    assert_says(outcome.remedy, "Merge v0.2.0 into main")
