"""The files of GitHub's releases."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from releaser.adapters.forge import responses
from releaser.adapters.forge.http import Subject
from releaser.adapters.forge.records import Asset
from releaser.adapters.http import RERUN
from releaser.core.files import replacing, sha256
from releaser.errors import ServiceError


class ReleaseAssets(Subject):
    """The assets of one repository's releases."""

    def upload(self, release_id: int, path: Path, content_type: str) -> Asset:
        """Attach a file under its own name. The same bytes already there are left alone.

        Other bytes under that name, or the rest of an upload that broke off, are replaced while the release is a draft.

        Raises:
            ServiceError: A published release holds other bytes under that name; GitHub would rename the file; what
                GitHub stored is not what was sent; GitHub refused, or did not respond.
        """
        if not re.fullmatch(r"\w[\w.+@-]*(?<!\.)", path.name, re.ASCII):
            raise ServiceError(
                f"GitHub would rename the asset {path.name!r}: only letters, digits and ._+@- keep their place",
                "Rename the file.",
            )
        release = self._http.call(
            f"show release {release_id}", "GET", f"{self._repo}/releases/{release_id}", responses.RELEASE
        )
        doing = f"upload {path.name} to release {release.tag_name}"
        for _ in range(2):
            there = self._named(release_id, path.name)
            if there is not None and self._holds(there, path):
                return there
            if there is not None and not release.draft:
                raise ServiceError(
                    f"The published release {release.tag_name} holds other bytes under the name {path.name} "
                    f"(sha256 {there.sha256}; here {sha256(path)})",
                    "Release the next version: what is published is not replaced.",
                )
            if there is not None:
                self.delete(there.id)
            url = release.upload_url.partition("{")[0]
            stored = self._http.send_file(doing, url, path, path.name, content_type)
            if stored is not None:
                break
        else:
            raise ServiceError(
                f"GitHub refused to {doing}: the name is taken, but it was free a moment ago",
                "Stop the other upload that is running, then rerun the command.",
            )
        asset = stored.record()
        if not self._holds(asset, path):
            raise ServiceError(f"GitHub stored something else when asked to {doing}", RERUN)
        return asset

    def delete(self, asset_id: int) -> None:
        """Delete an asset; that it is gone already is fine."""
        self._http.delete(f"delete asset {asset_id}", f"{self._repo}/releases/assets/{asset_id}")

    def download(self, asset: Asset, target: Path) -> str:
        """Download an asset, of a draft as well, and put it at ``target`` when it has arrived whole.

        Returns:
            The sha256 of the file, in hex.

        Raises:
            ServiceError: The transfer broke, or what arrived is not what GitHub says it holds.
        """
        with replacing(target) as partial:
            path = f"{self._repo}/releases/assets/{asset.id}"
            arrived = self._http.receive_file(f"send {asset.name}", path, partial)
            if arrived.size != asset.size or asset.sha256 not in (None, arrived.sha256):
                raise ServiceError(
                    f"{asset.name} arrived as {arrived.size} bytes, sha256 {arrived.sha256}; "
                    f"GitHub holds {asset.size} bytes, sha256 {asset.sha256}",
                    RERUN,
                )
        return arrived.sha256

    def _named(self, release_id: int, name: str) -> Asset | None:
        path = f"{self._repo}/releases/{release_id}/assets"
        listed = self._http.pages(f"list the assets of release {release_id}", path, responses.ASSETS)
        return next((asset.record() for asset in listed if asset.name == name), None)

    def _holds(self, asset: Asset, path: Path) -> bool:
        if asset.state != "uploaded" or asset.size != path.stat().st_size:
            return False
        if asset.sha256 is not None:
            return asset.sha256 == sha256(path)
        with tempfile.TemporaryDirectory() as folder:
            return self.download(asset, Path(folder, asset.name)) == sha256(path)
