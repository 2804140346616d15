"""After: close the version's milestone."""

from __future__ import annotations

from releaser.adapters.forge.records import Milestone
from releaser.core.step import Done, Outcome, Skipped, Step, Todo
from releaser.release import Release


class CloseMilestone(Step[Release]):
    """The version's milestone is closed, if there is one."""

    name = "close_milestone"
    title = "Milestone closed"
    skippable = True
    essential = False

    def check(self, release: Release) -> Outcome:
        """Look for a milestone with the configured title."""
        title = _milestone_title(release)
        if release.version.is_prerelease:
            return Skipped("a pre-release closes no milestone")
        found = self._find(release)
        if found is None:
            return Skipped(f"there is no milestone {title}")
        return (
            Done(f"{title} is closed")
            if found.state == "closed"
            else Todo(f"close {title} ({found.open_issues} issues still open)")
        )

    def run(self, release: Release) -> None:
        """Close it."""
        found = self._find(release)
        if found:
            release.forge.close_milestone(found.number)

    def _find(self, release: Release) -> Milestone | None:
        return release.forge.find_milestone(_milestone_title(release))


def _milestone_title(release: Release) -> str:
    return release.config.forge.milestone.format(version=release.version)
