"""After: remove the working tree that the release was made in."""

from __future__ import annotations

from releaser.adapters.git.trees import remove_worktree
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class RemoveWorktree(Step[Release]):
    """The working tree that the release was made in does not exist any more."""

    name = "remove_worktree"
    title = "Separate working tree removed"
    skippable = True
    essential = False

    def check(self, release: Release) -> Outcome:
        """Look for it."""
        return Todo(f"remove {release.store.worktree}") if release.store.worktree.exists() else Done("removed")

    def run(self, release: Release) -> None:
        """Remove it."""
        remove_worktree(release.git, release.store.worktree)
