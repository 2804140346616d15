"""Preflight: every file of the commit can be had, those too that the commit only names."""

from __future__ import annotations

from releaser.adapters.git import lfs, trees
from releaser.adapters.git.submodules import answers
from releaser.core.counting import count_of
from releaser.core.step import Conflict, Done, Outcome, Step
from releaser.release import Release


class HaveSources(Step[Release]):
    """Submodules have their recorded commits, and content in Git LFS can be fetched."""

    name = "have_sources"
    title = "Submodules and LFS content available"

    def check(self, release: Release) -> Outcome:
        """Look into the user's module store, and ask the addresses of what it lacks."""
        if release.store.dists():
            return Done("built already")
        git = release.git
        named = trees.named_only(git, release.commit() or git.head(), release.config.git.remote)
        if named.pointers and not lfs.available(git):
            return Conflict(lfs.missing(named.pointers), lfs.INSTALL)
        for origin, submodule in named.elsewhere:
            answers(origin, submodule)
        seen = [f"submodule {one.path} at {one.commit[:12]}" for one in named.here]
        seen += [f"submodule {one.path} is fetched from {one.address}" for _, one in named.elsewhere]
        seen += [f"{count_of(len(named.pointers), 'file')} in Git LFS"] if named.pointers else []
        # What is released are the blobs; a checkout would convert these.
        seen += [
            f"{what} is not applied to {count_of(count, 'file')}" for what, count in sorted(named.conversions.items())
        ]
        return Done("; ".join(seen) or "all in the commit itself")
