"""Qualify: run every image that this machine can run; check its version and its health."""

from __future__ import annotations

from contextlib import closing
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
    """Each built image runs, platform by platform; the evidence names what cannot run here."""

    name = "start_images"
    title = "Images start and become healthy"
    doing = "start each image that this machine can run, check --version and health"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Look for the receipt of these images; without one an engine is needed.

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
                f"The images are built but were not started: {release.no_engine}",
                "Start the engine, or skip this step with `--skip start_images`, which is recorded.",
            )
        return outcome

    def have_started(self, release: Release) -> bool:
        """Return whether the images in the store were started and passed; also true without a wheel to key receipts."""
        return release.dists() is None or not isinstance(super().check(release), Todo)

    def receipt_name(self, release: Release) -> str:
        """Name the receipt after these images too."""
        return of_release.receipt_name(self.name, release)

    def attempt(self, release: Release, _dists: Dists, scratch: Path) -> Receipt:
        """Load each from the layout, platform by platform, run it, and remove it."""
        layout = of_release.built(release)
        if layout is None:
            raise UsageError("There are no built images", f"Build them: `invoke release --version {release.version}`.")
        with closing(Engine.connect(release.store.path)) as engine:
            seen = all_tried(engine, layout, scratch, release.config, release.version)
        return Receipt("; ".join(seen))
