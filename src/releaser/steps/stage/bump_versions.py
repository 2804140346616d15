"""Stage: every version file says the new version, in a working tree of its own."""

from __future__ import annotations

from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class BumpVersions(Step[Release]):
    """All declared version files say the new version."""

    name = "bump_versions"
    title = "Version files updated"

    def check(self, release: Release) -> Outcome:
        """Reads the files in the working tree, or at the release commit."""
        commit = release.commit()
        if commit:
            return Done(f"all say {release.version} at {commit[:12]}")
        tree = release.store.worktree
        names = ", ".join(str(file.path) for file in release.version_files)
        if not tree.exists() or any(
            file.bumped(tree, release.version) != (tree / file.path).read_bytes() for file in release.version_files
        ):
            return Todo(f"write {release.version} to {names}")
        return Done(f"{names} say {release.version}")

    def run(self, release: Release) -> None:
        """Writes each file whole or not at all."""
        for file in release.version_files:
            file.write(release.store.worktree, release.version)
