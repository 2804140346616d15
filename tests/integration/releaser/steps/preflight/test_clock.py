"""A clock that is wrong."""

from __future__ import annotations

import re
import time

import pytest
from harness.scene import Scene

from releaser.core.activity import Activity, bound
from releaser.core.step import Done
from releaser.rehearsal.injection import Injection, RequestFault
from releaser.steps.preflight.clock import TrustClock


def commit_at(scene: Scene, seconds: int) -> None:
    """Give the last commit another date, in seconds since 1970."""
    text = scene.git("cat-file", "commit", "HEAD")
    dated = re.sub(r"^(committer .*>) \d+", rf"\1 {seconds}", text, flags=re.MULTILINE)
    made = scene.project.git("hash-object", "-t", "commit", "-w", "--stdin", given=f"{dated}\n")
    scene.git("update-ref", "HEAD", made)


@pytest.mark.parametrize("ahead", [-365, 0.9], ids=["a year ago", "another time zone"])
def test_a_commit_of_before_is_fine(scene: Scene, ahead: float) -> None:
    commit_at(scene, int(time.time() + ahead * 86_400))
    assert isinstance(scene.check(TrustClock()), Done)


def test_a_clock_before_the_last_commit_is_refused_until_the_release_commit_is_made(scene: Scene) -> None:
    commit_at(scene, 4_102_444_800)
    scene.refused(
        TrustClock(),
        "this machine's clock says 20",
        "the last commit was made at 2100-01-01 00:00",
        remedy="Set the clock",
    )
    scene.with_release_commit()
    assert isinstance(scene.check(TrustClock()), Done)


@pytest.mark.parametrize("seconds", [-7200, 7200])
def test_a_clock_that_is_not_the_forges_is_refused_until_the_release_commit_is_made(scene: Scene, seconds: int) -> None:
    fault = RequestFault.parse(f"GET:/:1+:after:clock={seconds}")
    scene.forge.serve(scene.forge.folder, scene.project.origin, injections=[Injection(fault, scene.forge.folder)])
    scene.refused(TrustClock(), "this machine's clock says 20", "and the forge's says 20", remedy="Set the clock")
    scene.with_release_commit()
    assert isinstance(scene.check(TrustClock()), Done)


def test_a_forge_that_does_not_answer_leaves_the_clock_as_it_is(scene: Scene) -> None:
    scene.forge.stop()
    # It listens, and never answers: as in `status`, services have so long altogether.
    with bound(Activity(deadline=time.monotonic() + 0.5)):
        assert isinstance(scene.check(TrustClock()), Done)
