"""Push: branch and tag are at the remote, together or not at all."""

from __future__ import annotations

from releaser.core.step import Conflict, Done, NothingToUndo, Outcome, Step, Todo, Undone, UndoOutcome
from releaser.release import Release


class PushTag(Step[Release]):
    """Branch and tag are at the remote. From here the way back costs a version."""

    name = "push_tag"
    title = "Branch and tag pushed"

    def check(self, release: Release) -> Outcome:
        """Asks the remote for both."""
        git, config = release.git, release.config.git
        commit, there = release.commit(), git.remote_tag(config.remote, release.tag)
        if there and (commit is None or there.commit != commit):
            return Conflict(
                f"{config.remote} has {release.tag} on another commit, {there.commit[:12]}.",
                f"If that is this release, made elsewhere: `git fetch {config.remote} tag {release.tag}`. "
                "Else release the next version: a tag that is out never moves.",
            )
        if there and not there.annotated:
            return Conflict(
                f"{config.remote}'s {release.tag} is lightweight.",
                "Release the next version: a tag that is out never moves.",
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
            return Conflict(
                f"{config.remote}/{config.branch} has moved to {branch[:12]} since {commit[:12]} was made for release.",
                f"`invoke rollback --version {release.version}` forgets that commit; then pull, and release again.",
            )
        if there:
            return Todo(f"push {config.branch}: the tag is there and the branch is not")
        return Todo(f"git push --atomic {config.remote} {config.branch} {release.tag}")

    def run(self, release: Release) -> None:
        """Pushes what is missing of both, atomically."""
        config, commit = release.config.git, release.must_have_commit()
        branch = self._remote_branch(release)
        refs = [f"refs/tags/{release.tag}"]
        if not (branch and release.git.contains(branch, commit)):
            refs.insert(0, f"{commit}:refs/heads/{config.branch}")
        release.git.push(config.remote, *refs)

    def undo(self, release: Release) -> UndoOutcome:
        """Deletes the tag at the remote; the commit stays in the branch."""
        config = release.config.git
        if release.git.remote_tag(config.remote, release.tag) is None:
            return NothingToUndo("no tag at the remote")
        release.git.push(config.remote, f":refs/tags/{release.tag}")
        return Undone(f"{release.tag} is deleted at {config.remote}; the bump stays in {config.branch}")

    def _remote_branch(self, release: Release) -> str | None:
        """The remote branch's commit, with its objects here."""
        git, config = release.git, release.config.git
        found = git.remote_branch(config.remote, config.branch)
        if found and git.commit(found) is None:
            git.fetch_objects(config.remote, found)
        return found
