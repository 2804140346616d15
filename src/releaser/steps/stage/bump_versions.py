"""Stage: write the new version to every version file, in a separate working tree."""

from __future__ import annotations

from releaser.core.step import Done, Outcome, Step, Todo
from releaser.release import Release


class BumpVersions(Step[Release]):
    """All configured version files declare the new version."""

    name = "bump_versions"
    title = "Version files updated"

    def check(self, release: Release) -> Outcome:
        """Read the files in the working tree, or at the release commit."""
        commit = release.commit()
        if commit:
            return Done(f"all declare {release.version} at {commit[:12]}")
        tree = release.store.worktree
        names = ", ".join(str(file.path) for file in release.version_files)
        if not tree.exists() or any(
            file.bumped(tree, release.version) != (tree / file.path).read_bytes() for file in release.version_files
        ):
            return Todo(f"write {release.version} to {names}")
        return Done(f"{names} declare {release.version}")

    def run(self, release: Release) -> None:
        """Write each file whole or not at all."""
        for file in release.version_files:
            file.write(release.store.worktree, release.version)
