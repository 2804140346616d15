"""The workflows of a commit, read from the bare repository with the `git` program."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters import process

FOLDER = ".github/workflows/"


class Sources:
    """A bare repository on this disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self, sha: str) -> list[str]:
        """Return the file names of a commit's workflows."""
        listed = self._git("ls-tree", "--name-only", sha, FOLDER) or ""
        names = [line.removeprefix(FOLDER) for line in listed.splitlines()]
        return [name for name in names if name.endswith((".yml", ".yaml"))]

    def text(self, revision: str, workflow: str) -> str | None:
        """Return what a workflow says at a commit, branch or tag; None where there is none."""
        return self._git("show", f"{revision}:{FOLDER}{workflow}")

    def sha(self, revision: str) -> str | None:
        """Return the commit that a reference names; None where there is none."""
        found = self._git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return found.strip() if found else None

    def full_name(self, ref: str) -> str | None:
        """Return the full name of a branch or tag that is given by its short or its full one."""
        names = [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]
        return next((name for name in names if self.sha(name)), None)

    def _git(self, *arguments: str) -> str | None:
        answer = process.ask(["git", f"--git-dir={self._path}", *arguments], cwd=self._path, check=False)
        return answer.text if answer.status == 0 else None
