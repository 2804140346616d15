"""Keep: the built files are copied to a directory of the user's choice."""

from __future__ import annotations

from pathlib import Path

from releaser.core.files import SUMS, read_sums, sha256, write_atomically
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class CopyDists(Step[Release]):
    """A directory holds the built files, and a SHA256SUMS that lists these and no others."""

    name = "copy_dists"

    def __init__(self, target: Path) -> None:
        self.target = target
        self.title = f"Built files copied to {target}"

    def check(self, release: Release) -> Outcome:
        """Compare the hashes of both directories."""
        dists = release.dists()
        if dists is None or read_sums(self.target) != dists.sha256:
            return Todo(f"copy the built files to {self.target}")
        paths = {name: self.target / name for name in dists.sha256}
        if any(not path.is_file() or sha256(path) != dists.sha256[name] for name, path in paths.items()):
            return Todo(f"copy the built files to {self.target}")
        return Done(f"{len(paths) + 1} files in {self.target}")

    def copied(self) -> list[Path]:
        """Return what the directory's SHA256SUMS lists, and itself."""
        return [self.target / name for name in (*(read_sums(self.target) or ()), SUMS)]

    def run(self, release: Release) -> None:
        """Copy each file whole, SHA256SUMS last."""
        dists = release.built()
        for name in (*dists.sha256, SUMS):
            write_atomically(self.target / name, (dists.directory / name).read_bytes())
