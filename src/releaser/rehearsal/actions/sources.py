"""The workflows of a commit, read from the bare repository."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.git import Git

FOLDER = ".github/workflows/"


class Sources:
    """A bare repository on this disk."""

    def __init__(self, path: Path) -> None:
        self._git = Git(path)

    def names(self, sha: str) -> list[str]:
        """Return the file names of a commit's workflows."""
        listed = self._git.ask("ls-tree", "--name-only", sha, FOLDER, check=False)
        names = [line.removeprefix(FOLDER) for line in listed.text.splitlines()]
        return [name for name in names if name.endswith((".yml", ".yaml"))]

    def text(self, revision: str, workflow: str) -> str | None:
        """Return what a workflow says at a commit, branch or tag; None where there is none."""
        return self._git.file(revision, f"{FOLDER}{workflow}")

    def sha(self, revision: str) -> str | None:
        """Return the commit that a reference names; None where there is none."""
        return self._git.commit(revision)

    def full_name(self, ref: str) -> str | None:
        """Return the full name of a branch or tag that is given by its short or its full one."""
        names = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
        return next((name for name in names if self.sha(name)), None)
