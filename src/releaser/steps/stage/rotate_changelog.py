"""Stage: turn the changelog's [Unreleased] into the version's section. A pre-release leaves it as it is."""

from __future__ import annotations

from releaser.changelog.document import Changelog
from releaser.core.files import write_atomically
from releaser.core.step import Done, Outcome, Skipped, Step, Todo
from releaser.release import Release


class RotateChangelog(Step[Release]):
    """The changelog has a dated section for the version."""

    name = "rotate_changelog"
    title = "Changelog section for the version written"

    def check(self, release: Release) -> Outcome:
        """Read the changelog in the working tree, or at the release commit."""
        if release.version.is_prerelease:
            return Skipped("a pre-release publishes [Unreleased] and leaves it for the final release")
        commit, path = release.commit(), release.store.worktree / release.config.changelog
        if commit:
            return Done(f"[{release.version}] at {commit[:12]}")
        section = Changelog.read(path).section(release.version) if path.exists() else None
        if section is None:
            return Todo(f"move [Unreleased] to [{release.version}], with today's date")
        return Done(f"[{release.version}] - {section.date}")

    def run(self, release: Release) -> None:
        """Write the whole file or none of it."""
        path = release.store.worktree / release.config.changelog
        write_atomically(path, release.rotated(Changelog.read(path)))
