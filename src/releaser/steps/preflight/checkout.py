"""Preflight: the state of the checkout. Once the release commit exists, the checkout is not used any more."""

from __future__ import annotations

from releaser.core.counting import count_of
from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.release import Release


def _settled(release: Release) -> Done | None:
    commit = release.release_commit.pinned()
    return Done(f"the release commit {commit[:12]} exists; the checkout is not used") if commit else None


class FindIdentity(Step[Release]):
    """Git has a name and an address for author and committer of the commit; the tagger is the committer."""

    name = "find_identity"
    title = "Git identity configured"

    def check(self, release: Release) -> Outcome:
        """Ask git for both: variables may name the one and not the other."""
        author, committer = (release.git_settings.identity(role) for role in ("author", "committer"))
        if author and committer:
            return Done(author if author == committer else f"author {author}, committer {committer}")
        lacking = " and ".join(who for who, known in (("author", author), ("committer", committer)) if not known)
        return Conflict(
            f"git has no name and address for the {lacking} of the release commit and the tag",
            'Set them with `git config user.name "..."` and `git config user.email ...`.',
        )


class BeOnBranch(Step[Release]):
    """Release branch checked out."""

    name = "be_on_branch"
    title = "Release branch checked out"

    def check(self, release: Release) -> Outcome:
        """Compare the checked-out branch with the configured one."""
        wanted, found = release.config.git.branch, release.git.branch()
        if found == wanted:
            return Done(f"on {wanted}")
        if settled := _settled(release):
            return settled
        where = f"{found} is checked out" if found else "HEAD is detached"
        return Conflict(f"{where}; releases are made from {wanted}", f"Run `git switch {wanted}`.")


class BeClean(Step[Release]):
    """Nothing is changed, staged or untracked."""

    name = "be_clean"
    title = "Working tree clean"

    def check(self, release: Release) -> Outcome:
        """Ask git status; ignored files do not matter."""
        if settled := _settled(release):
            return settled
        changes = release.git.changes()
        if not changes:
            return Done("nothing changed, staged or untracked")
        shown = ", ".join(line[3:] for line in changes[:5]) + (" ..." if len(changes) > 5 else "")
        return Conflict(f"{count_of(len(changes), 'uncommitted change')}: {shown}", "Commit, stash or ignore them.")


class BeLevel(Step[Release]):
    """The local release branch is at the same commit as the remote's."""

    name = "be_level"
    title = "Branch level with the remote"

    def check(self, release: Release) -> Outcome:
        """Ask the remote itself, not the remote-tracking branch."""
        if settled := _settled(release):
            return settled
        git, config = release.git, release.config.git
        head, there = git.head(), git.remote_branch(config.remote, config.branch)
        name = f"{config.remote}/{config.branch}"
        if there == head:
            return Done(f"{name} is at {head[:12]} too")
        if there is None:
            return Conflict(
                f"{config.remote} has no branch {config.branch}", f"Run `git push {config.remote} {config.branch}`."
            )
        if git.commit(there) and git.contains(head, there):
            ahead = git.count_between(there, head)
            return Conflict(
                f"{ahead} {'commit is' if ahead == 1 else 'commits are'} not on {name} yet",
                f"Run `git push {config.remote} {config.branch}`, and wait until its checks pass.",
            )
        return Conflict(
            f"{name} is at {there[:12]}, which this checkout does not have: it is behind, or has diverged",
            f"Run `git pull --ff-only {config.remote} {config.branch}`.",
        )
