"""Stage: check out a separate working tree, so that the user's is not touched."""

from __future__ import annotations

from releaser.adapters.git import Git
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.errors import UsageError
from releaser.release import Release


class OpenWorktree(Step[Release]):
    """The store has a working tree at the commit that is released, or at HEAD before there is one."""

    name = "open_worktree"
    title = "Separate working tree checked out"

    def check(self, release: Release) -> Outcome:
        """Look for it; a tree at the wrong commit, or locked by a killed git, is replaced."""
        wanted, tree = release.commit(), release.store.worktree
        if wanted and release.store.dists() and not tree.exists():
            return Done("no longer needed")
        if not (tree / ".git").exists():
            return Todo(f"check out {(wanted or release.git.head())[:12]} in {tree}")
        try:
            found, locked = Git(tree).head(), Git(tree).index_is_locked()
        except UsageError:
            return Todo(f"check out {(wanted or release.git.head())[:12]} again: git does not know {tree}")
        expected = {wanted} if release.release_commit.pinned() else {release.git.head(), wanted}
        if found in expected and not locked:
            return Done(f"{tree} at {found[:12]}")
        return Todo(f"check out {(wanted or release.git.head())[:12]} again")

    def run(self, release: Release) -> None:
        """Add the tree at the release commit, or at HEAD."""
        release.add_worktree(release.store.worktree, release.commit() or release.git.head())
