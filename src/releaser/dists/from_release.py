"""The files that are attached to a published release: what was built and qualified, fetched on another machine."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.forge.client import Forge
from releaser.adapters.forge.records import ReleaseInfo
from releaser.core.files import SUMS, sha256, write_sums
from releaser.dists.manifest import Manifest, compare, differing_members, take_artifact
from releaser.errors import ConflictError, UsageError

_EXCHANGED = "Find out who exchanged the release's file. Publish nothing of this version; release the next one."


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
    found = _published(forge, tag)
    if not _has_sums(found):
        raise UsageError(f"Release {tag} has no {SUMS}, so its files cannot be verified", instead)
    target.mkdir()
    for asset in found.assets:
        forge.assets.download(asset, target / asset.name)
    return target


def rebuilt_files(forge: Forge, tag: str, target: Path, manifest: Manifest, artifact: Path) -> Path:
    """Return a directory with the files of a manifest, which the published release of a tag has too, or has none of.

    A release that was made in the web page has no files of ours: the artifact of the job that built them has. Whatever
    it has under a built file's name must be that file.

    Args:
        forge: Where the release is.
        tag: Which release.
        target: The directory for the files, which does not exist yet.
        manifest: What was built from the tag.
        artifact: The files that the manifest's job left; they name the members that differ, and need not be there.

    Raises:
        ConflictError: The release has other bytes, or a part of the files.
        ServiceError: The forge refused or did not answer.
        UsageError: There is no published release of this tag, or there are no files.
    """
    found = _published(forge, tag)
    assets = {one.name: one for one in found.assets}
    if _has_sums(found):
        target.mkdir()
        for name in manifest.files.keys() & assets.keys():
            forge.assets.download(assets[name], target / name)
        compare(target, manifest, f"The release {tag}", artifact, _EXCHANGED)
        # Not the release's own, which lists more than goes to an index.
        write_sums(target, manifest.files)
    else:
        take_artifact(artifact, manifest, target)
        with_other = target.with_name(f"{target.name}-attached")
        with_other.mkdir()
        for name, digest in manifest.files.items():
            if name in assets and forge.assets.download(assets[name], with_other / name) != digest:
                differ = differing_members(with_other / name, target / name)
                raise ConflictError(
                    f"The release {tag} has {name} with sha256 {sha256(with_other / name)[:12]}; {digest[:12]} was "
                    f"built from the tag ({differ})",
                    "Find out who attached it. Remove it if the release can be changed, then run the workflow again.",
                )
    return target


def add_bill(forge: Forge, tag: str, files: Path, manifest: Manifest, name: str) -> None:
    """Add the bill of materials of a published release, if it has one, to the files of a manifest in a directory.

    Raises:
        ServiceError: The forge refused or did not answer.
        UsageError: There is no published release of this tag.
    """
    bill = next((asset for asset in _published(forge, tag).assets if asset.name == name), None)
    if bill:
        write_sums(files, {**manifest.files, name: forge.assets.download(bill, files / name)})


def _published(forge: Forge, tag: str) -> ReleaseInfo:
    found = forge.find_release(tag)
    if found is None or found.draft:
        raise UsageError(
            f"The forge has {'no release' if found is None else 'only a draft of release'} {tag}",
            "Publish it first, with `invoke release`.",
        )
    return found


def _has_sums(found: ReleaseInfo) -> bool:
    return SUMS in {asset.name for asset in found.assets}
