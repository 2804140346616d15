"""What is attached to a published release: the files that were built and qualified, for whoever did not build them."""

from __future__ import annotations

from pathlib import Path

from releaser.errors import UsageError
from releaser.release import Release
from releaser.store import SUMS


def download_from_release(release: Release, target: Path, instead: str) -> Path:
    """Fetches every file attached to the published release into `target`, a directory that is not there yet.

    Args:
        release: Which release.
        target: Where the files go.
        instead: What to do if the release does not say what it holds.

    Raises:
        ServiceError: The forge refused or did not answer.
        UsageError: There is no published release, or it has no list of checksums.
    """
    found = release.forge.find_release(release.tag)
    if found is None or found.draft:
        raise UsageError(
            f"The forge has {'no release' if found is None else 'only a draft of the release'} {release.tag}.",
            f"Publish the release first: `invoke release --version {release.version}`.",
        )
    if SUMS not in {asset.name for asset in found.assets}:
        raise UsageError(f"The release {release.tag} holds no {SUMS}, so what it should hold is not known.", instead)
    target.mkdir()
    for asset in found.assets:
        release.forge.download_asset(asset, target / asset.name)
    return target
