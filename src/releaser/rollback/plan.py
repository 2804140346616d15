"""The way back as one list of steps: first what is known, then what is taken back, in the order of what may refuse."""

from __future__ import annotations

from releaser.core.step import Phase, Plan, in_order, together
from releaser.release import Release
from releaser.rollback.branch import RevertBump
from releaser.rollback.images import RestoreImageTags
from releaser.rollback.local import DiscardState
from releaser.rollback.public import DeleteRelease, DeleteTag
from releaser.rollback.published import LatestBack, WarnOnRelease
from releaser.rollback.uploads import KnowUploads, StopWorkflow


def rollback_plan(*, revert: bool) -> Plan[Release]:
    """Return the plan; each step decides by itself what it can do once PyPI serves the version.

    Args:
        revert: Whether to revert the version bump in the branch.
    """
    return (
        Phase(
            "stop",
            "nothing is on its way",
            in_order(StopWorkflow(), KnowUploads("pypi"), KnowUploads("testpypi")),
            ask="To take back, in this order:\n{steps}\nContinue?",
        ),
        # The remote may refuse to delete a tag, and only tells when it is asked to; so that comes before the release.
        Phase("public", "nothing of it is public that can be taken back", in_order(DeleteTag(), DeleteRelease())),
        Phase("users", "users are led elsewhere", together(WarnOnRelease(), LatestBack(), RestoreImageTags())),
        Phase("branch", "the branch is as it was", in_order(RevertBump(asked=revert))),
        # Last: with what is here, everything above can be continued after a stop.
        Phase("local", "nothing of it is kept here", in_order(DiscardState())),
    )
