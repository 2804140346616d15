"""Qualify: every image that this machine can run says the right version and becomes healthy."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.docker.engine import Engine
from releaser.core.step import Outcome, Skipped, Todo
from releaser.dists.built import Dists
from releaser.errors import ServiceError, UsageError
from releaser.images import of_release
from releaser.images.trial import all_tried
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class StartImages(Receipted):
    """Each built image runs, platform by platform; what cannot run here is said."""

    name = "start_images"
    title = "Images start and become healthy"
    doing = "start each image that this machine can run; ask it for --version and for its health"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Looks for the receipt of these images; without one an engine is needed.

        Raises:
            ServiceError: Images were built here, and there is no engine any more.
        """
        outcome = super().check(release)
        if not isinstance(outcome, Todo):
            return outcome
        if reason := of_release.without(release):
            return Skipped(reason)
        if release.no_engine:
            raise ServiceError(
                f"The images are built and have not been started: {release.no_engine}.",
                "Start the engine, or leave this out with `--skip start_images`, which is recorded.",
            )
        return outcome

    def have_started(self, release: Release) -> bool:
        """Whether the images that lie here were tried, and passed; true where no wheel is, of which a receipt tells."""
        return release.dists() is None or not isinstance(super().check(release), Todo)

    def receipt_name(self, release: Release) -> str:
        """Of the wheel, and of these images."""
        layout = of_release.built(release)
        return f"{self.name}-{of_release.identity(layout)}" if layout else self.name

    def attempt(self, release: Release, _dists: Dists, scratch: Path) -> Receipt:
        """Loads each from the layout, platform by platform, runs it, removes it again."""
        layout = of_release.built(release)
        if layout is None:
            raise UsageError("There are no built images.", f"`invoke release --version {release.version}`.")
        engine = Engine.connect(release.store.path)
        seen = all_tried(engine, layout, scratch, release.config, release.version)
        engine.close()
        return Receipt("; ".join(seen))
