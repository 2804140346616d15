"""Upgrading from the release before, which may be broken in ways that nothing can change any more."""

from __future__ import annotations

import pytest
from harness.scene import Scene, assert_says
from harness.wheels import other_wheel

from releaser.core.runner import Runner
from releaser.core.step import Done, Phase, Skipped, Warned, in_order
from releaser.errors import PublishedError
from releaser.steps.verify.upgrade_from_pypi import UpgradeFromPyPI

PLAN = (Phase("verify", "seen", in_order(UpgradeFromPyPI()), achieved="0.2.0 is published"),)


def published(scene: Scene, fields: str) -> None:
    """Put 0.2.0 on the index, above a 0.1.0 with these fields in its metadata."""
    scene.pypi.accept(other_wheel(scene.others, "0.1.0", fields), "tiny-thing", "0.1.0")
    for path in scene.with_dists().built().uploads:
        scene.pypi.accept(path, "tiny-thing", "0.2.0")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("Requires-Dist: surely-not-there-xyz>=1\n", "No matching distribution found for surely-not-there-xyz>=1"),
        ("Requires-Python: >=99\n", "No matching distribution found for tiny-thing==0.1.0"),
    ],
    ids=["a dependency that is gone", "another Python"],
)
def test_a_release_before_that_nobody_can_install_is_a_warning_which_is_tried_again(
    scene: Scene, fields: str, reason: str
) -> None:
    published(scene, fields)
    (result,) = Runner(PLAN, scene.release()).run(lambda _: None)
    assert isinstance(result.outcome, Warned)
    assert_says(result.outcome.reason, "the upgrade was not tried, because 0.1.0 cannot be installed here", reason)
    assert_says(result.outcome.remedy, "Yank 0.1.0")

    scene.pypi.manage("tiny-thing", "0.1.0", action="yank", reason="broken")
    (result,) = Runner(PLAN, scene.release()).run(lambda _: None)
    assert result.outcome == Skipped("the index has no release before this one")


def test_an_upgrade_that_gives_other_bytes_fails_and_can_be_left_out(scene: Scene) -> None:
    scene.with_dists()
    for version in ("0.1.0", "0.2.0"):
        scene.pypi.accept(other_wheel(scene.others, version), "tiny-thing", version)
    with pytest.raises(
        PublishedError, match=r"^0\.2\.0 is published: upgrade_from_pypi: The wheel that pip installed"
    ) as caught:
        Runner(PLAN, scene.release()).run(lambda _: None)
    assert "`--skip upgrade_from_pypi`" in caught.value.remedy


def test_an_upgrade_that_works_is_done(scene: Scene) -> None:
    published(scene, "")
    (result,) = Runner(PLAN, scene.release()).run(lambda _: None)
    assert isinstance(result.outcome, Done)
    assert result.outcome.evidence.startswith("0.1.0 -> 0.2.0; ")
