"""Discard what is kept on this machine; last, because everything before it can still be continued with it."""

from __future__ import annotations

from releaser.adapters.git.trees import remove_worktree
from releaser.core.step import Done, Outcome, Stays, Step, Todo
from releaser.errors import ConflictError
from releaser.release import Release
from releaser.steps.rollback.uploads import is_served, must_be_absent

_RECORDS = ("lock", "holder.json")


class DiscardState(Step[Release]):
    """This machine has neither tag nor release commit nor built files of the version."""

    name = "discard_state"
    title = "Local tag, release commit and built files discarded"

    def check(self, release: Release) -> Outcome:
        """Look for all of it."""
        tag, pinned = release.git.tag(release.tag), release.git.commit(release.ref)
        path = release.store.path
        kept = [one.name for one in path.iterdir() if not _is_record(one.name)] if path.exists() else []
        if tag is None and pinned is None and not kept:
            return Done("nothing of it is kept here")
        if is_served(release):
            return Stays(
                "the tag, the release commit and the built files here", "Leave them; they are what users have."
            )
        here = [f"the tag {release.tag}"] if tag else []
        here += [f"the release commit {pinned[:12]}"] if pinned else []
        here += ["built files and receipts"] if kept else []
        return Todo(f"discard {', '.join(here)} here")

    def run(self, release: Release) -> None:
        """Discard it; the journal stays.

        Raises:
            ConflictError: The remote has the tag, which leads to the commit.
        """
        must_be_absent(release)
        if release.git.remote_tag(release.config.git.remote, release.tag):
            raise ConflictError(f"The remote's tag {release.tag} is there again", "Rerun the command.")
        release.git.delete_tag(release.tag)
        release.git.delete_ref(release.ref)
        remove_worktree(release.git, release.store.worktree)
        release.store.discard()


def _is_record(name: str) -> bool:
    return name in _RECORDS or name.endswith((".jsonl", ".head"))
