"""Push: create the annotated tag at the release commit."""

from __future__ import annotations

from releaser.adapters.where import where
from releaser.core.step import Conflict, Done, Outcome, Step, Todo
from releaser.release import Release

_NEVER_MOVED = "Find out who pushed it. Release the next version: a published tag is never moved."
"""A job begins in a fresh clone: what it has, the remote has."""


class CreateTag(Step[Release]):
    """The local tag is annotated, and at the release commit."""

    name = "create_tag"
    title = "Annotated tag created"

    def check(self, release: Release) -> Outcome:
        """Look at the local tag."""
        tag, commit = release.git.tag(release.tag), release.commit()
        if tag is None:
            return Todo(f"git tag --annotate {release.tag} at the release commit")
        if tag.commit != commit:
            ours = f"{commit[:12]} is to be released" if commit else "there is no release commit yet"
            return Conflict(
                f"the tag {release.tag} already exists at {tag.commit[:12]}, and {ours}",
                where(
                    terminal=f"Run `git tag --delete {release.tag}` if it was never pushed; otherwise release the next "
                    "version.",
                    job=_NEVER_MOVED,
                ),
            )
        if not tag.annotated:
            return Conflict(
                f"the tag {release.tag} is lightweight",
                where(
                    terminal=f"Run `git tag --delete {release.tag}`; the release creates it again, annotated.",
                    job=_NEVER_MOVED,
                ),
            )
        return Done(f"{release.tag} annotated, at {tag.commit[:12]}")

    def run(self, release: Release) -> None:
        """Create it; its object keeps its date, and on which machine it was made, from then on."""
        message = release.config.git.tag_message
        name = release.store.machine(make=True) if "{machine}" in message else ""
        text = message.format(version=release.version, machine=name)
        release.git.create_tag(release.tag, release.must_have_commit(), text)
