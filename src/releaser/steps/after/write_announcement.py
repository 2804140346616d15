"""After: write a text to announce the release with."""

from __future__ import annotations

from releaser.core.files import write_atomically
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class WriteAnnouncement(Step[Release]):
    """The store has a text to announce the release with."""

    name = "write_announcement"
    title = "Announcement written"
    skippable = True
    essential = False

    def check(self, release: Release) -> Outcome:
        """Look for it; a text that was edited is kept."""
        path = release.store.path / "announcement.md"
        return Done(str(path)) if path.exists() else Todo(f"write {path}")

    def run(self, release: Release) -> None:
        """Write it."""
        write_atomically(release.store.path / "announcement.md", self._text(release))

    def _text(self, release: Release) -> str:
        return release.config.after.announcement.format(
            distribution=release.config.distribution,
            version=release.version,
            notes=release.notes(),
            release_url=release.forge.release_url(release.tag),
        )
