"""Publish: attach the built files while the release is a draft."""

from __future__ import annotations

from releaser.adapters.forge.client import ReleaseInfo
from releaser.core.step import Conflict, Done, Outcome, Step, Todo
from releaser.dists.built import Dists
from releaser.errors import StepError
from releaser.release import Release

_TYPES = {".whl": "application/zip", ".gz": "application/gzip", ".json": "application/vnd.cyclonedx+json"}


class UploadAssets(Step[Release]):
    """The release has the built files, the bill of materials and the checksums as assets."""

    name = "upload_assets"
    title = "Built files attached to the release"

    def check(self, release: Release) -> Outcome:
        """Compare hashes; the forge computes its own."""
        found, dists = release.forge.find_release(release.tag), release.dists()
        if found is None or dists is None:
            return Todo("attach sdist, wheel, bill of materials and SHA256SUMS")
        missing = _missing(found, dists)
        if not missing:
            return Done(f"{len(found.assets)} assets")
        if not found.draft:
            return Conflict(
                f"the release {release.tag} is published without {', '.join(missing)}, or with other bytes",
                f"Attach them manually at {found.url} from {dists.directory}, or release the next version.",
            )
        return Todo(f"attach {', '.join(missing)}")

    def run(self, release: Release) -> None:
        """Upload what is missing; replace a broken upload."""
        found, dists = release.forge.find_release(release.tag), release.built()
        if found is None:
            raise StepError(
                f"The draft of {release.tag} no longer exists", "Rerun the command, which creates it again."
            )
        for name in _missing(found, dists):
            path = dists.directory / name
            release.forge.assets.upload(found.id, path, _TYPES.get(path.suffix, "text/plain"))


def _missing(found: ReleaseInfo, dists: Dists) -> list[str]:
    there = {asset.name: asset.sha256 for asset in found.assets if asset.state == "uploaded"}
    return [name for name, digest in dists.assets.items() if there.get(name) != digest]
