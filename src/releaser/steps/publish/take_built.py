"""Publish: images that another job built are taken from its artifact, each byte compared with what that job told."""

from __future__ import annotations

import shutil
from pathlib import Path

from releaser.adapters.registry.checked_copy import copy_checked
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.images import of_release
from releaser.images.manifest import ImagesManifest
from releaser.release import Release


class TakeBuilt(Step[Release]):
    """The store has the images of the manifest, and nothing else that was in the directory.

    Args:
        source: The directory, an OCI layout.
        manifest: What was built.
    """

    name = "take_built"
    title = "Built images taken as they were built"

    def __init__(self, source: Path, manifest: ImagesManifest) -> None:
        self.source = source
        self.manifest = manifest

    def check(self, release: Release) -> Outcome:
        """Look which images the store has."""
        layout = of_release.built(release)
        if layout and {name: root.digest for name, root in layout.roots().items()} == self.manifest.images:
            return Done("; ".join(f"{name} {digest[:19]}" for name, digest in self.manifest.images.items()))
        return Todo(f"take {', '.join(self.manifest.images)} from {self.source}")

    def run(self, release: Release) -> None:
        """Copy what the digests lead to, and compare it."""
        with release.store.scratch(self.name) as scratch:
            layout = copy_checked(self.source, self.manifest.images, scratch / "images")
            if release.store.images.exists():
                shutil.rmtree(release.store.images)
            layout.path.rename(release.store.images)
