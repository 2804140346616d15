"""Verify: what users will get, asked of the services themselves, byte for byte."""

from __future__ import annotations

from pathlib import Path

from releaser.errors import StepError
from releaser.release import Release
from releaser.steps.publish_release import assets
from releaser.steps.receipted import Receipted
from releaser.store import Dists, Receipt, sha256


class VerifyIndexFiles(Receipted):
    """The index's files, downloaded, are the built files; its page shows the right version, description and links."""

    name = "verify_index_files"
    title = "The index serves the built files byte for byte"
    doing = "download both files, compare them, read the release's page"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Downloads and compares; then reads what the page is made of, which lags behind the files."""
        index, name = release.pypi, release.config.distribution
        served = index.files(name, release.version)
        for file, digest in dists.upload_sha256.items():
            if file not in served:
                raise StepError(f"The index does not serve {file}.", "Run the same command again.")
            _expect(index.download(served[file], scratch / file), digest, f"{file} from the index")
            if served[file].yanked is not None:
                raise StepError(
                    f"{file} is yanked: {served[file].yanked or 'no reason given'}.",
                    "Un-yank it, or release a patch version.",
                )
        index.wait_for(
            "the release's page", lambda: index.metadata(name, release.version) is not None, release.config.wait
        )
        info = (index.metadata(name, release.version) or {}).get("info", {})
        wrong = [
            what
            for what, right in (
                ("version", info.get("version") == release.version.pep440),
                ("description", bool((info.get("description") or "").strip())),
            )
            if not right
        ]
        if wrong:
            raise StepError(
                f"{index.page(name, release.version)} shows no right {' and '.join(wrong)}.", "Look at the page."
            )
        links = ", ".join(sorted(info.get("project_urls") or {})) or "none"
        return Receipt(
            "; ".join(f"{file} sha256 {digest[:12]}" for file, digest in dists.upload_sha256.items())
            + f"; page: {info.get('description_content_type') or 'plain'} description, links: {links}"
        )


class VerifyRelease(Receipted):
    """The forge's release is published, at the right commit, with the built files and the changelog's section."""

    name = "verify_release"
    title = "The forge's release is right, asset by asset"
    doing = "download every asset, compare; check tag, notes and marks"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Asks for the release as anybody would, and downloads what is attached."""
        found = release.forge.find_release(release.tag)
        if found is None or found.draft:
            raise StepError(f"{release.tag} is not published on the forge.", "Run the same command again.")
        there = {asset.name: asset for asset in found.assets}
        for name, digest in assets(dists).items():
            if name not in there:
                raise StepError(f"The release {release.tag} lacks {name}.", f"Look at {found.url}.")
            release.forge.download_asset(there[name], scratch / name)
            _expect(sha256(scratch / name), digest, f"{name} from the release")
        latest = release.forge.latest_release() == release.tag
        wrong = [
            what
            for what, right in (
                ("it is at the release commit", release.forge.tag_commit(release.tag) == release.commit()),
                ("its notes hold the changelog's section", release.notes() in found.body.replace("\r\n", "\n")),
                ("it is marked as a pre-release", found.prerelease == release.version.is_prerelease),
                ("it is the latest", latest == release.highest_stable()),
            )
            if not right
        ]
        if wrong:
            raise StepError(
                f"Of the release {release.tag} this is not as it should be: {', '.join(wrong)}.",
                f"Mend it at {found.url}.",
            )
        kind = "pre-release" if found.prerelease else "latest" if latest else "not latest"
        return Receipt(f"{len(found.assets)} assets byte for byte, {kind}, {found.url}")


def _expect(found: str, digest: str, what: str) -> None:
    if found != digest:
        raise StepError(
            f"{what} has sha256 {found[:12]}, and {digest[:12]} was built.",
            "Find out who put it there; release the next version.",
        )
