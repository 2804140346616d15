"""Verify: check that users who pull get the images that were built and started."""

from __future__ import annotations

from pathlib import Path

from releaser.core.step import Outcome, Skipped, Todo
from releaser.dists.built import Dists
from releaser.errors import StepError
from releaser.images import of_release
from releaser.images.published import ImageProof
from releaser.images.start_script import picked_by_script
from releaser.release import Release
from releaser.steps.receipted import Receipted
from releaser.store import Receipt


class VerifyImages(Receipted):
    """Every tag points at the digest that was built; platforms, labels and the version inside are right."""

    name = "verify_images"
    title = "Every image tag leads to the image that was built"
    doing = "compare every tag, digest, platform and label in the registry; pull, run --version, use the start script"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Look for the receipt of these images."""
        outcome, config = super().check(release), release.config.images
        if not isinstance(outcome, Todo) or (config.targets and config.via == "ci"):
            return outcome
        reason = of_release.without(release)
        return Skipped(reason) if reason else outcome

    def since(self, release: Release, _dists: Dists) -> Outcome | None:
        """Ask the registry again: tags may be moved and deleted at any time. What is not as it was is tried again."""
        expected, registry = of_release.digests(release), release.registry
        if not expected:
            return None
        found = {tag: registry.find(tag.name) for tag in of_release.tags(release)}
        moved = [
            f"{tag.name} is {'at ' + there.digest[:19] if there else 'gone'}"
            for tag, there in found.items()
            if there is None or there.digest != expected[tag.target]
        ]
        return Todo(f"{self.doing}: {', '.join(moved)}") if moved else None

    def receipt_name(self, release: Release) -> str:
        """Name the receipt after these images too."""
        return of_release.receipt_name(self.name, release)

    def attempt(self, release: Release, _dists: Dists, _scratch: Path) -> Receipt:
        """Ask the registry as any user could, and compare with what was built."""
        expected = of_release.digests(release)
        if not expected:
            raise StepError("There are no built images to compare with", "Rerun the command.")
        tags, commit = of_release.tags(release), release.commit()
        with of_release.engine(release) as engine:
            proof = ImageProof(
                release.registry, release.config, release.version, tags, expected, commit, engine
            ).given()
        picked_by_script(proof, release.config, release.git.root, release.version)
        proof.must_hold(release.registry.repository)
        if release.no_engine:
            proof.notes.append(f"not run after pulling: {release.no_engine}")
        return Receipt("; ".join([*proof.seen, *dict.fromkeys(proof.notes)]))
