"""The files that are attached to a published release: what was built and qualified, fetched on another machine."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.forge.client import Forge
from releaser.core.files import SUMS
from releaser.errors import UsageError


def download_from_release(forge: Forge, tag: str, target: Path, instead: str) -> Path:
    """Download every file that is attached to the published release of a tag; return the directory.

    Args:
        forge: Where the release is.
        tag: Which release.
        target: The directory for the files, which does not exist yet.
        instead: The remedy if the release has no SHA256SUMS.

    Raises:
        ServiceError: The forge refused or did not answer.
        UsageError: There is no published release of this tag, or it has no SHA256SUMS.
    """
    found = forge.find_release(tag)
    if found is None or found.draft:
        raise UsageError(
            f"The forge has {'no release' if found is None else 'only a draft of release'} {tag}",
            "Publish it first, with `invoke release`.",
        )
    if SUMS not in {asset.name for asset in found.assets}:
        raise UsageError(f"Release {tag} has no {SUMS}, so its files cannot be verified", instead)
    target.mkdir()
    for asset in found.assets:
        forge.assets.download(asset, target / asset.name)
    return target
