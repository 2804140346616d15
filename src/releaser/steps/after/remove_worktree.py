"""After: remove the working tree that the release was made in."""

from __future__ import annotations

from releaser.adapters.git.trees import has_worktree, remove_worktree
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class RemoveWorktree(Step[Release]):
    """The working tree that the release was made in does not exist any more."""

    name = "remove_worktree"
    title = "Separate working tree removed"
    skippable = True
    essential = False

    def check(self, release: Release) -> Outcome:
        """Look for it, and for what git keeps of one whose directory somebody has deleted."""
        tree = release.store.worktree
        return Todo(f"remove {tree}") if has_worktree(release.git, tree) else Done("removed")

    def run(self, release: Release) -> None:
        """Remove it."""
        remove_worktree(release.git, release.store.worktree)
