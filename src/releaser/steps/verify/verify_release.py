"""Verify: check that the published release is right, and that its assets are the built files."""

from __future__ import annotations

from pathlib import Path

from releaser.dists.built import Dists
from releaser.errors import StepError, ToleratedError
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
    skippable = True

    def attempt(self, release: Release, dists: Dists, scratch: Path) -> Receipt:
        """Ask for the release as any user could, and download its assets.

        Raises:
            StepError: It is not what was built.
            ToleratedError: It is, and only the forge's choice of the latest release differs.
        """
        found = release.forge.find_release(release.tag)
        if found is None or found.draft:
            raise StepError(f"{release.tag} is not published on the forge", "Rerun the command.")
        there = {asset.name: asset for asset in found.assets}
        for name, digest in dists.assets.items():
            if name not in there:
                raise StepError(f"The release {release.tag} lacks {name}", f"Look at {found.url}.")
            release.forge.assets.download(there[name], scratch / name)
            expect_sha256(sha256(scratch / name), digest, f"{name} from the release")
        latest = release.forge.latest_release() == release.tag
        wrong = [
            what
            for what, right in (
                ("it is not at the release commit", release.forge.tag_commit(release.tag) == release.commit()),
                ("its notes lack the changelog's section", with_lf(release.notes()) in with_lf(found.body)),
                ("its pre-release mark does not fit the version", found.prerelease == release.version.is_prerelease),
            )
            if not right
        ]
        if wrong:
            raise StepError(
                f"The release {release.tag} is wrong: {', '.join(wrong)}",
                f"Correct it at {found.url}.",
            )
        if latest != release.highest_stable():
            shows = "shows it" if latest else "does not show it"
            raise ToleratedError(
                f"{release.tag} is right, but the forge {shows} as the latest release",
                f"Choose the latest release at {release.forge.releases_url}, then rerun the command.",
            )
        kind = "pre-release" if found.prerelease else "latest" if latest else "not latest"
        return Receipt(f"{len(found.assets)} assets byte for byte, {kind}, {found.url}")
