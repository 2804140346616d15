"""Take back what the forge and the remote show: the tag first, then the release.

The remote alone decides whether a tag may be deleted, and tells when it is asked to. A refusal must not find the
release gone already. Only an immutable release goes first: as long as it exists, GitHub keeps its tag.
"""

from __future__ import annotations

from releaser.core.step import Conflict, Done, Outcome, Skipped, Stays, Step, Todo
from releaser.errors import ConflictError, ServiceError
from releaser.release import Release
from releaser.steps.push.push_tag import side_branch
from releaser.steps.rollback.uploads import is_served, must_be_absent


class DeleteImmutable(Step[Release]):
    """No immutable release keeps the tag. Its tag's name is used up for good, which is recorded and said."""

    name = "delete_immutable"
    title = "Immutable release deleted, which keeps its tag"

    def check(self, release: Release) -> Outcome:
        """Look for it; what may keep the tag from being deleted afterwards is asked first."""
        found = release.forge.find_release(release.tag)
        if found is None and release.store.chain.newest("burned", tag=release.tag):
            return Stays(
                f"the name {release.tag}: its release was immutable, and GitHub lets no other have it",
                f"Release {release.version.bump(release.version.stage or 'patch')} next.",
            )
        if found is None or not found.immutable:
            return Skipped(f"the release of {release.tag} does not keep it")
        if is_served(release):
            return Skipped("users look there for what they have")
        tag = DeleteTag().check(release)
        if isinstance(tag, Conflict):
            return Conflict(f"the immutable release of {release.tag} stays: {tag.what}", tag.remedy)
        return Todo(f"delete the immutable release {found.url} before its tag; {release.tag} can never be used again")

    def run(self, release: Release) -> None:
        """Record it, then delete it."""
        must_be_absent(release)
        found = release.forge.find_release(release.tag)
        if found is not None:
            release.journal.write("burned", tag=release.tag)
            release.forge.delete_release(found.id)


class DeleteTag(Step[Release]):
    """The remote has no tag of the version; once users have the version, the tag stays."""

    name = "delete_tag"
    title = "Tag deleted at the remote"

    def check(self, release: Release) -> Outcome:
        """Ask the remote, and the forge's rules for tags."""
        remote = release.config.git.remote
        there = release.git.remote_tag(remote, release.tag)
        if there is None:
            return Done(f"{remote} has no {release.tag}")
        if is_served(release):
            return Stays(
                f"{remote}'s {release.tag}: users have what it leads to, and must find its source",
                "Leave it; a published version without its tag cannot be traced.",
            )
        commit = release.commit()
        if commit and there.commit != commit:
            return Conflict(
                f"{remote}'s {release.tag} is at {there.commit[:12]}, and {commit[:12]} was released from here",
                f"Run `git fetch {remote} tag {release.tag}` and find out who moved it.",
            )
        rules = release.forge.rules.of_tag(release.tag) or ()
        if any(rule.type == "deletion" and not rule.may_bypass for rule in rules):
            return Conflict(
                f"a rule of {release.repository} forbids deleting {release.tag}",
                "Let somebody who may bypass it run this, or change the rule. Nothing else was taken back.",
            )
        return Todo(f"delete {release.tag} ({there.commit[:12]}) at {remote}")

    def run(self, release: Release) -> None:
        """Delete it.

        Raises:
            ServiceError: The remote refused; the release is as it was, unless it was immutable.
            ConflictError: The remote has it still.
        """
        must_be_absent(release)
        config = release.config.git
        try:
            release.git.push(config.remote, f":refs/tags/{release.tag}", *_pushed_aside(release))
        except ServiceError as error:
            if not _is_there(release):
                raise
            raise error.reworded(
                f"{error.message}. The tag{_and_release(release)} as they were",
                error.remedy,
            ) from error
        if release.git.remote_tag(config.remote, release.tag):
            raise ConflictError(
                f"{config.remote} still has {release.tag}: the deletion went elsewhere",
                f"Delete the tag there, and compare `git remote get-url --push --all {config.remote}`.",
            )


def _is_there(release: Release) -> bool:
    """Return whether the remote says that it has the tag; a push that failed may have arrived, or arrive later."""
    try:
        return release.git.remote_tag(release.config.git.remote, release.tag) is not None
    except ServiceError:
        return False


def _and_release(release: Release) -> str:
    burned = release.store.chain.newest("burned", tag=release.tag) is not None
    return " is" if burned else f" and the release {release.tag} are"


def _pushed_aside(release: Release) -> list[str]:
    """Return the refspec that deletes the branch that the release was pushed on, where its branch had moved."""
    remote, aside = release.config.git.remote, side_branch(release)
    there = release.git.remote_branch(remote, aside)
    return [f":refs/heads/{aside}"] if there and there == release.commit() else []


class DeleteRelease(Step[Release]):
    """The forge has no release of the version, neither published nor drafted."""

    name = "delete_release"
    title = "Release deleted on the forge"

    def check(self, release: Release) -> Outcome:
        """Look for it."""
        found = release.forge.find_release(release.tag)
        if found is None:
            return Done(f"no release of {release.tag}")
        if is_served(release):
            return Stays(f"the release {found.url}: users look there for what they have", "Leave it; it is marked.")
        return Todo(f"delete the {'draft' if found.draft else 'published release'} {found.url}")

    def run(self, release: Release) -> None:
        """Delete it with its assets."""
        must_be_absent(release)
        found = release.forge.find_release(release.tag)
        if found is not None:
            release.forge.delete_release(found.id)
