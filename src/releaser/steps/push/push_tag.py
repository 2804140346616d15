"""Push: push branch and tag, together or not at all."""

from __future__ import annotations

from releaser.core.step import (
    CannotUndo,
    Conflict,
    Done,
    NothingToUndo,
    Outcome,
    Step,
    Todo,
    Undone,
    UndoOutcome,
    Warned,
)
from releaser.errors import ServiceError
from releaser.release import Release
from releaser.steps.preflight.branch_rules import by_pull_request


class PushTag(Step[Release]):
    """The remote has the branch and the tag. From here on, going back costs a version."""

    name = "push_tag"
    title = "Branch and tag pushed"

    def check(self, release: Release) -> Outcome:
        """Ask the remote for both."""
        git, config = release.git, release.config.git
        commit, there = release.commit(), git.remote_tag(config.remote, release.tag)
        if there and (commit is None or there.commit != commit):
            return Conflict(
                f"{config.remote} has {release.tag} at another commit, {there.commit[:12]}",
                f"If it is this release, made elsewhere, run `git fetch {config.remote} tag {release.tag}`. "
                "Otherwise release the next version: a published tag is never moved.",
            )
        if there and not there.annotated:
            return Conflict(
                f"{config.remote}'s {release.tag} is lightweight",
                "Release the next version: a published tag is never moved.",
            )
        if commit is None:
            return Todo(f"git push --atomic {config.remote} {config.branch} {release.tag}")
        branch = self._remote_branch(release)
        if branch and git.contains(branch, commit):
            return (
                Done(f"{release.tag} at {commit[:12]}, in {config.remote}/{config.branch}")
                if there
                else Todo(f"push {release.tag}")
            )
        if branch and not git.contains(commit, branch):
            if there and release.pypi.files(release.config.distribution, release.version):
                return Warned(
                    f"{config.remote}/{config.branch} has moved to {branch[:12]}, and no longer has {release.tag}",
                    f"Merge {release.tag} into {config.branch}: users have what it leads to.",
                )
            return Conflict(
                f"{config.remote}/{config.branch} has moved to {branch[:12]} since {commit[:12]} was created",
                f"Run `invoke rollback --version {release.version}`, which discards it; then pull and release again.",
            )
        if there:
            return Todo(f"push {config.branch}: the remote has the tag, not the branch")
        return Todo(f"git push --atomic {config.remote} {config.branch} {release.tag}")

    def run(self, release: Release) -> None:
        """Push what is missing of both, atomically."""
        config, commit = release.config.git, release.must_have_commit()
        branch = self._remote_branch(release)
        refs = [f"refs/tags/{release.tag}"]
        if not (branch and release.git.contains(branch, commit)):
            refs.insert(0, f"{commit}:refs/heads/{config.branch}")
        try:
            release.git.push(config.remote, *refs)
        except ServiceError as error:
            if len(refs) == 1:
                raise
            # What refuses a push need not tell before it: hooks of the remote's own, and rules that no API lists.
            raise error.reworded(
                error.message,
                f"{error.remedy} If {config.branch} takes only pull requests, run "
                f"`invoke rollback --version {release.version}`. {by_pull_request(release)}",
            ) from error

    def undo(self, release: Release) -> UndoOutcome:
        """Delete the tag at the remote; the commit stays in the branch."""
        config = release.config.git
        if release.git.remote_tag(config.remote, release.tag) is None:
            return NothingToUndo("no tag at the remote")
        release.git.push(config.remote, f":refs/tags/{release.tag}")
        if release.git.remote_tag(config.remote, release.tag):
            return CannotUndo(
                f"{config.remote} still has {release.tag}: the deletion went elsewhere",
                f"Delete the tag there, and compare `git remote get-url --push --all {config.remote}`.",
            )
        return Undone(f"{release.tag} is deleted at {config.remote}; the bump stays in {config.branch}")

    def _remote_branch(self, release: Release) -> str | None:
        """Return the remote branch's commit, with its objects fetched."""
        git, config = release.git, release.config.git
        found = git.remote_branch(config.remote, config.branch)
        if found and git.commit(found) is None:
            git.fetch_objects(config.remote, found)
        return found
