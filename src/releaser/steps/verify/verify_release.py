"""Verify: check that the published release is right, and that its assets are the built files."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.forge.records import ReleaseInfo
from releaser.core.files import sha256
from releaser.core.step import Conflict, Outcome, Todo, Warned
from releaser.dists.built import Dists
from releaser.errors import StepError, ToleratedError
from releaser.release import Release
from releaser.steps.receipted import Receipted, expect_sha256
from releaser.store import Receipt
from releaser.texts.release_page import is_kept, is_withdrawn, with_lf


class VerifyRelease(Receipted):
    """The forge's release is published, at the right commit, with the built files and the changelog's section."""

    name = "verify_release"
    title = "Published release correct, asset by asset"
    doing = "download every asset, compare; check tag, notes and marks"
    skippable = True

    def since(self, release: Release, dists: Dists) -> Outcome | None:
        """Ask the forge again: assets may be deleted, notes edited and tags moved at any time."""
        found = release.forge.find_release(release.tag)
        if found is None or found.draft:
            return Todo(f"{self.doing}: it is {'gone' if found is None else 'a draft'} again")
        there = {asset.name: asset.sha256 for asset in found.assets}
        changed = [name for name, digest in dists.assets.items() if there.get(name, "") not in (digest, None)]
        wrong = [*(f"{name} was deleted or replaced" for name in changed), *_wrong(release, found)]
        if wrong:
            return Conflict(
                f"the release {release.tag} was right, and is not any more: {', '.join(wrong)}",
                f"Correct it at {found.url}; the files are in {dists.directory}.",
            )
        return _mislabelled(release, found)

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
            expect_sha256(sha256(scratch / name), digest, f"{name} from the release", there[name].sha256)
        if wrong := _wrong(release, found):
            raise StepError(f"The release {release.tag} is wrong: {', '.join(wrong)}", f"Correct it at {found.url}.")
        if warned := _mislabelled(release, found):
            raise ToleratedError(warned.reason, warned.remedy)
        latest = release.forge.latest_release() == release.tag
        kind = "pre-release" if found.prerelease else "latest" if latest else "not latest"
        others = [name for name in there if name not in dists.assets]
        more = f", and {len(others)} that this release did not build: {', '.join(others)}" if others else ""
        return Receipt(f"{len(dists.assets)} assets byte for byte{more}; {kind}, {found.url}")


def _wrong(release: Release, found: ReleaseInfo) -> list[str]:
    """Return what is wrong with a published release apart from its assets, in words."""
    kept = is_kept(release, found) or with_lf(release.notes()) in with_lf(found.body)
    facts = (
        ("it is not at the release commit", release.forge.tag_commit(release.tag) == release.commit()),
        ("its notes lack the changelog's section", kept),
        ("its pre-release mark does not fit the version", found.prerelease == release.version.is_prerelease),
    )
    return [what for what, right in facts if not right]


def _mislabelled(release: Release, found: ReleaseInfo) -> Warned | None:
    """Return what to say where the forge shows another release as the latest; None if it is the right one."""
    latest = release.forge.latest_release() == release.tag
    if latest == release.highest_stable() or (is_withdrawn(found) and not latest):
        return None
    return Warned(
        f"{release.tag} is right, but the forge {'shows it' if latest else 'does not show it'} as the latest release",
        f"Choose the latest release at {release.forge.releases_url}, then rerun the command.",
    )
