"""Stage: create the release commit, pinned by a private ref and a bundle, so that its bytes and date stay."""

from __future__ import annotations

from releaser.adapters.git import Git
from releaser.core.files import inside
from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class CommitRelease(Step[Release]):
    """One commit contains the version bump and the changelog, and nothing else."""

    name = "commit_release"
    title = "Release commit created"

    def check(self, release: Release) -> Outcome:
        """Look for the private ref and the bundle."""
        pinned = release.git.commit(release.ref)
        if pinned and release.store.bundle.exists():
            return Done(f"{pinned[:12]} {release.git.subject(pinned)}")
        if pinned:
            return Todo(f"keep a copy of {pinned[:12]} outside this clone")
        commit = release.commit()
        if commit:
            return Todo(f"keep {commit[:12]}, which declares {release.version} already")
        return Todo(f"commit {release.config.git.commit_message.format(version=release.version)!r}")

    def run(self, release: Release) -> None:
        """Commit in the working tree, then pin the commit."""
        commit = release.commit()
        if commit is None:
            paths = [file.path for file in release.version_files]
            if not release.version.is_prerelease:
                paths.append(release.config.changelog)
            # What a link leads to is what was written.
            tree = release.store.worktree
            paths = list(dict.fromkeys(inside(tree, path) or path for path in paths))
            message = release.config.git.commit_message.format(version=release.version)
            commit = Git(tree).commit_files(message, *paths)
        if release.git.commit(release.ref) is None:
            release.git.set_ref(release.ref, commit)
        release.git.bundle(release.store.bundle, release.ref, release.git.parent(commit))
