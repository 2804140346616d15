"""Keep: images are loaded into the local container engine."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from releaser.adapters.docker.engine import Engine
from releaser.dists.built import Dists
from releaser.errors import StepError
from releaser.images import of_release
from releaser.images.build import engine_outputs
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class LoadImages(Receipted):
    """The local engine has each image, of one platform, under its version's tag."""

    name = "load_images"
    title = "Images loaded into the local engine"
    doing = "build the images and load them into the local engine"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Build all at once, straight into the engine, and ask the engine for each."""
        references = of_release.references(release)
        with closing(Engine.connect(release.store.path)) as engine:
            outputs = engine_outputs(release.config.images.targets, references, engine.native())
            of_release.bake(release, dists, scratch, outputs).run(release.store.path / "logs" / "images.log")
            missing = [reference for reference in references.values() if not engine.holds(reference)]
        if missing:
            raise StepError(
                f"The local engine does not have {', '.join(missing)} after the build",
                "Choose a builder that loads into it: `docker buildx ls` lists them.",
            )
        return Receipt(", ".join(references.values()))
