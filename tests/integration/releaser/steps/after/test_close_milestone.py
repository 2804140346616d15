"""The version's milestone."""

from __future__ import annotations

from harness.scene import Scene, assert_says
from harness.stand_ins import READ_ONLY

from releaser.core.runner import Runner
from releaser.core.step import Done, Phase, Skipped, Todo, Warned, in_order
from releaser.steps.after.close_milestone import CloseMilestone

PLAN = (Phase("after", "wrapped up", in_order(CloseMilestone())),)
OPEN = {"milestones": [{"number": 7, "title": "v0.2.0", "state": "open"}]}


def test_it_is_closed(scene: Scene) -> None:
    scene.forge.hold(OPEN)
    assert isinstance(scene.check(CloseMilestone()), Todo)
    CloseMilestone().run(scene.release())
    assert isinstance(scene.check(CloseMilestone()), Done)


def test_a_forge_without_one_has_nothing_to_close(scene: Scene) -> None:
    assert scene.check(CloseMilestone()) == Skipped("there is no milestone v0.2.0")


def test_a_token_that_may_not_close_it_is_a_warning(scene: Scene) -> None:
    scene.forge.hold(OPEN)
    scene.set(GITHUB_TOKEN=READ_ONLY)
    (result,) = Runner(PLAN, scene.release()).run(lambda _: None)
    assert isinstance(result.outcome, Warned)
    assert_says(result.outcome.reason, "close milestone 7")
    assert_says(result.outcome.remedy, "issues: write")


def test_a_token_that_has_expired_is_a_warning(scene: Scene) -> None:
    scene.set(GITHUB_TOKEN="ghp_0123456789expired")
    (result,) = Runner(PLAN, scene.release()).run(lambda _: None)
    assert isinstance(result.outcome, Warned)
    assert_says(result.outcome.reason, "list the milestones")
