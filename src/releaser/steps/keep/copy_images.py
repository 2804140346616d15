"""Keep: the built images are copied to a directory of the user's choice, as one OCI layout."""

from __future__ import annotations

import shutil
from pathlib import Path

from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class CopyImages(Step[Release]):
    """A directory, which was not there before, holds the layout with the built images."""

    name = "copy_images"

    def __init__(self, target: Path) -> None:
        self.target = target
        self.title = f"Built images copied to {target}"

    def check(self, _release: Release) -> Outcome:
        """Look for the directory."""
        return Done(str(self.target)) if self.target.exists() else Todo(f"copy the built images to {self.target}")

    def run(self, release: Release) -> None:
        """Copy the layout as a whole or not at all."""
        part = self.target.with_name(f"{self.target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(release.store.images, part)
        part.rename(self.target)
