"""Verify: the forge gives users the built files, on a release that is what it should be."""

from __future__ import annotations

from pathlib import Path

from releaser.dists.built import Dists
from releaser.errors import StepError
from releaser.files import sha256
from releaser.release import Release
from releaser.steps.receipted import Receipted, expect_sha256
from releaser.store import Receipt
from releaser.texts.release_page import with_lf


class VerifyRelease(Receipted):
    """The forge's release is published, at the right commit, with the built files and the changelog's section."""

    name = "verify_release"
    title = "Published release correct, asset by asset"
    doing = "download every asset, compare; check tag, notes and marks"

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Asks for the release as anybody would, and downloads what is attached."""
        found = release.forge.find_release(release.tag)
        if found is None or found.draft:
            raise StepError(f"{release.tag} is not published on the forge.", "Run the same command again.")
        there = {asset.name: asset for asset in found.assets}
        for name, digest in dists.assets.items():
            if name not in there:
                raise StepError(f"The release {release.tag} lacks {name}.", f"Look at {found.url}.")
            release.forge.assets.download(there[name], scratch / name)
            expect_sha256(sha256(scratch / name), digest, f"{name} from the release")
        latest = release.forge.latest_release() == release.tag
        wrong = [
            what
            for what, right in (
                ("it is at the release commit", release.forge.tag_commit(release.tag) == release.commit()),
                ("its notes hold the changelog's section", with_lf(release.notes()) in with_lf(found.body)),
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
