"""After: move the user's own branch forward, the only change to the user's checkout."""

from __future__ import annotations

from releaser.core.step import Done, Outcome, Step, Todo, Warned
from releaser.errors import CommandError, StepError
from releaser.release import Release


class FastForward(Step[Release]):
    """The user's branch is at the release, if it is clean and where the release began."""

    name = "fast_forward"
    title = "Local branch at the release commit"
    skippable = True
    essential = False

    def check(self, release: Release) -> Outcome:
        """Leave the branch, and say how to pull, if it or the checkout has changed since the release began."""
        git, commit = release.git, release.commit()
        if commit is None:
            return Todo("move the local branch forward, if it is clean and where the release began")
        head = git.head()
        if git.contains(head, commit):
            return Done(f"{git.branch() or 'HEAD'} has {commit[:12]}")
        remote, branch = release.config.git.remote, release.config.git.branch
        if git.branch() != branch:
            pull = f"Run `git switch {branch}`, then `git pull --ff-only {remote} {branch}`."
            return Warned(f"{branch} is not checked out, and stays without the release commit", pull)
        if head != git.parent(commit):
            pull = f"Run `git pull --rebase {remote} {branch}`."
            return Warned(f"{branch} has moved since the release began, and stays without the release commit", pull)
        there = git.remote_branch(remote, branch)
        if there and git.commit(there) and not git.contains(there, commit) and not git.contains(commit, there):
            return Warned(
                f"{remote}/{branch} does not have the release commit, so {branch} stays without it too",
                f"Merge {release.tag} into {branch}, for example by a pull request, then pull.",
            )
        if git.changes():
            pull = f"Commit or stash them, then run `git pull --ff-only {remote} {branch}`."
            return Warned(f"there are uncommitted changes; {branch} stays without the release commit", pull)
        return Todo(f"git merge --ff-only {commit[:12]}")

    def run(self, release: Release) -> None:
        """Fast-forward; git refuses where the user's own settings do (`merge.verifySignatures`), or a lock is left."""
        branch, commit = release.config.git.branch, str(release.commit())
        try:
            release.git.fast_forward(commit)
        except CommandError as error:
            said = " | ".join(error.message.splitlines()[1:])
            raise StepError(
                f"git did not move {branch} to the release commit: {said}",
                f"Fix what git names, then run `git merge --ff-only {commit[:12]}`.",
            ) from error
