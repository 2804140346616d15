"""After: a text to announce the release with is written."""

from __future__ import annotations

from releaser.core.step import Done, Outcome, Step, Todo
from releaser.files import write_atomically
from releaser.release import Release


class WriteAnnouncement(Step[Release]):
    """A text to announce the release with lies in the store."""

    name = "write_announcement"
    title = "Announcement written"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Looks for it; whoever has edited it since keeps the edits."""
        path = release.store.path / "announcement.md"
        return Done(str(path)) if path.exists() else Todo(f"write {path}")

    def run(self, release: Release) -> None:
        """Writes it."""
        write_atomically(release.store.path / "announcement.md", self._text(release))

    def _text(self, release: Release) -> str:
        return release.config.after.announcement.format(
            distribution=release.config.distribution,
            version=release.version,
            notes=release.notes(),
            release_url=release.forge.release_url(release.tag),
        )
