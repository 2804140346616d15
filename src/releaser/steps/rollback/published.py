"""What can be done once users have a version: mark its release, and lead `latest` to the version before."""

from __future__ import annotations

from releaser.adapters.forge.records import ReleaseInfo
from releaser.core.step import Done, Outcome, Skipped, Stays, Step, Todo
from releaser.release import Release
from releaser.steps.rollback.uploads import is_served
from releaser.texts.release_page import WITHDRAWN, is_withdrawn, record_edit


class WarnOnRelease(Step[Release]):
    """The release's page begins with a warning."""

    name = "warn_on_release"
    title = "Warning on the release's page"

    def check(self, release: Release) -> Outcome:
        """Read the page."""
        found = release.forge.find_release(release.tag)
        if found is None or found.draft or not is_served(release):
            return Skipped("users have nothing of it that needs a warning")
        return Done(found.url) if is_withdrawn(found) else Todo(f"put a warning on {found.url}")

    def run(self, release: Release) -> None:
        """Put it before the text, which stays as it is."""
        found = release.forge.find_release(release.tag)
        if found is not None:
            name, following = release.config.distribution, release.version.bump("patch")
            warning = f"{WITHDRAWN} do not install {name} {release.version}. It will be replaced by {following}."
            record_edit(release, found, release.forge.update_release(found.id, body=f"{warning}\n\n{found.body}"))


class LatestBack(Step[Release]):
    """The forge does not show the version as the latest release."""

    name = "latest_back"
    title = "Another release is the latest"

    def check(self, release: Release) -> Outcome:
        """Ask which is."""
        if not is_served(release):
            return Skipped("users have nothing of it")
        if release.forge.latest_release() != release.tag:
            return Done(f"{release.tag} is not the latest")
        before = _before(release)
        if before is None:
            return Stays(f"{release.tag} as the latest release: there is no other", "Release the next version.")
        return Todo(f"make {before.tag} the latest")

    def run(self, release: Release) -> None:
        """Make the highest version before it the latest that is not withdrawn too."""
        before = _before(release)
        if before is not None:
            release.forge.publish_release(before.id, make_latest=True, discussion_category=None)


def _before(release: Release) -> ReleaseInfo | None:
    lower = sorted((one for one in release.history.finals() if one < release.version), reverse=True)
    found = (release.forge.find_release(one.tag(release.config.git.tag)) for one in lower)
    return next((one for one in found if one and not (one.draft or one.prerelease or is_withdrawn(one))), None)
