"""Publish: publish the draft once its assets are complete."""

from __future__ import annotations

from functools import partial

from releaser.core.step import Done, Outcome, Step, Todo, Warned
from releaser.errors import ServiceError, StepError, ToleratedError
from releaser.release import Release
from releaser.texts.release_page import is_withdrawn


class PublishRelease(Step[Release]):
    """The release is published; it is the latest only if it is the highest stable version."""

    name = "publish_release"
    title = "Release published"

    def check(self, release: Release) -> Outcome:
        """Look whether it is still a draft, and which release is the latest."""
        found = release.forge.find_release(release.tag)
        if found is None or found.draft:
            for_good = release.forge.settings.immutable_releases()
            return Todo(f"publish it; {release.tag} is immutable from then on" if for_good else "publish it")
        if is_withdrawn(found):
            return Done(f"{found.url}, withdrawn by a rollback, so it is not made the latest")
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
        config, dists = release.config.pypi, release.dists()
        if config.via == "ci" and found.draft and dists:  # publishing starts the workflow
            release.store.sent.will_upload("pypi", dists.uploads, config.workflow)
        category = release.config.forge.discussion_category if found.draft else None
        publish = partial(release.forge.publish_release, found.id, make_latest=release.highest_stable())
        try:
            publish(discussion_category=category)
        except ServiceError as refusal:
            if category is None:
                raise
            # The tag is public: a category that was renamed must not keep the release from its users.
            publish(discussion_category=None)
            url = release.forge.release_url(release.tag)
            raise ToleratedError(
                f"the release is published without a discussion in {category!r}: {refusal.message}",
                f"Open it at {url}, and correct discussion-category in [tool.releaser.forge].",
            ) from refusal

    def verify(self, release: Release) -> Outcome:
        """Look again: a release that is published is done, whichever the forge shows as the latest."""
        outcome = self.check(release)
        found = release.forge.find_release(release.tag)
        if isinstance(outcome, Todo) and found and not found.draft:
            return Warned(
                f"the forge shows {release.forge.latest_release()} as the latest release, not {release.tag}",
                f"Set it as the latest at {found.url}.",
            )
        return outcome
