"""Keep: images build; only the builder's cache of them is kept."""

from __future__ import annotations

from pathlib import Path

from releaser.dists.built import Dists
from releaser.images import of_release
from releaser.images.build import cache_outputs
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class BakeImages(Receipted):
    """The images build from the wheel."""

    name = "bake_images"
    title = "Images build"
    doing = "build the images"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Build all at once."""
        targets = release.config.images.targets
        of_release.bake(release, dists, scratch, cache_outputs(targets)).run(release.store.path / "logs" / "images.log")
        return Receipt(f"{', '.join(target.name for target in targets)} built; only in the builder's cache")
