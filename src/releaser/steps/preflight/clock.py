"""Preflight: the machine's clock, which dates the changelog's section, the commit and the tag."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.release import Release

# The clock of the last commit's author may have been a few hours ahead, or in local time.
_TOLERANCE = timedelta(days=1)


class TrustClock(Step[Release]):
    """The clock is not behind the commit that is released."""

    name = "trust_clock"
    title = "Clock not behind the last commit"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Compare the clock with the date of HEAD; once there is a release commit, its dates stay as they are."""
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
        return Done(f"{now:%Y-%m-%d %H:%M} UTC")
