"""Preflight: the machine's clock, which dates the changelog's section, the commit and the tag."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone

from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.errors import ReleaserError
from releaser.release import Release

# The clock of the last commit's author may have been a few hours ahead, or in local time.
_TOLERANCE = timedelta(days=1)
# More than the slowest response takes, and little enough for what is dated and signed.
_TOLERANCE_OF_FORGE = timedelta(minutes=10)


class TrustClock(Step[Release]):
    """The clock is not behind the commit that is released, and is the forge's."""

    name = "trust_clock"
    title = "Clock right"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Compare the clock with HEAD's date and the forge's; once there is a release commit, its dates stay."""
        if commit := release.release_commit.pinned():
            return Done(f"the release commit {commit[:12]} exists; its date stays")
        now = datetime.now(timezone.utc)
        last = datetime.fromtimestamp(release.git.time_of(release.git.head()), timezone.utc)
        if last - now > _TOLERANCE:
            return Conflict(
                f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, and the last commit was made at"
                f" {last:%Y-%m-%d %H:%M} UTC",
                "Set the clock, or add `--skip trust_clock` if the commit's date is the wrong one.",
            )
        if (theirs := _of_forge(release)) and abs(theirs - now) > _TOLERANCE_OF_FORGE:
            return Conflict(
                f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, and the forge's says {theirs:%Y-%m-%d %H:%M} UTC",
                "Set the clock, or add `--skip trust_clock` if the forge's is the wrong one.",
            )
        return Done(f"{now:%Y-%m-%d %H:%M} UTC")


def _of_forge(release: Release) -> datetime | None:
    """Return the forge's time; None if it cannot be asked, which other steps tell."""
    with suppress(ReleaserError):
        return release.forge.time()
    return None
