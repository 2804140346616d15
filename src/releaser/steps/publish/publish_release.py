"""Publish: publish the draft once its assets are complete."""

from __future__ import annotations

from releaser.core.step import Done, Outcome, Step, Todo
from releaser.errors import StepError
from releaser.release import Release


class PublishRelease(Step[Release]):
    """The release is published; it is the latest only if it is the highest stable version."""

    name = "publish_release"
    title = "Release published"

    def check(self, release: Release) -> Outcome:
        """Look whether it is still a draft, and which release is the latest."""
        found = release.forge.find_release(release.tag)
        if found is None or found.draft:
            return Todo("publish it")
        if release.highest_stable() and release.forge.latest_release() != release.tag:
            return Todo("make it the latest")
        return Done(found.url)

    def run(self, release: Release) -> None:
        """Publish it."""
        found = release.forge.find_release(release.tag)
        if found is None:
            raise StepError(
                f"The draft of {release.tag} no longer exists", "Rerun the command, which creates it again."
            )
        category = release.config.forge.discussion_category if found.draft else None
        release.forge.publish_release(found.id, make_latest=release.highest_stable(), discussion_category=category)
