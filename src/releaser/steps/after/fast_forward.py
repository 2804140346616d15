"""After: move the user's own branch forward, the only change to the user's checkout."""

from __future__ import annotations

from releaser.core.step import Done, Outcome, Skipped, Step, Todo
from releaser.release import Release


class FastForward(Step[Release]):
    """The user's branch is at the release, if it is clean and where the release began."""

    name = "fast_forward"
    title = "Local branch at the release commit"
    skippable = True

    def check(self, release: Release) -> Outcome:
        """Skip, and say how to pull, if the branch or the checkout has changed since the release began."""
        git, commit = release.git, release.commit()
        if commit is None:
            return Todo("move the local branch forward, if it is clean and where the release began")
        head = git.head()
        if git.contains(head, commit):
            return Done(f"{git.branch() or 'HEAD'} has {commit[:12]}")
        pull = f"`git pull --ff-only {release.config.git.remote} {release.config.git.branch}` gets the release commit"
        if git.branch() != release.config.git.branch:
            return Skipped(f"{release.config.git.branch} is not checked out; {pull}")
        if head != git.parent(commit):
            return Skipped(f"the branch has moved since the release began; {pull}")
        if git.changes():
            return Skipped(f"there are uncommitted changes; {pull}")
        return Todo(f"git merge --ff-only {commit[:12]}")

    def run(self, release: Release) -> None:
        """Fast-forward."""
        release.git.fast_forward(str(release.commit()))
