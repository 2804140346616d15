"""The user's git, called as a program in one repository."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from releaser.adapters import process
from releaser.errors import CommandError, ServiceError, UsageError

_QUIET: dict[str, str | None] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
    "GIT_DIR": None,
    "GIT_WORK_TREE": None,
    "GIT_INDEX_FILE": None,
}
# An answer of `git cat-file --batch-check`; what it says of tags that lead to no commit stands between them.
_CHECKED = re.compile(r"([0-9a-f]{40,64})|.* missing")


@dataclass(frozen=True)
class Tag:
    """A tag: the object the ref holds, and the commit it leads to. Annotated tags are objects of their own."""

    object: str
    commit: str

    @property
    def annotated(self) -> bool:
        """Whether the ref holds a tag object and not the commit itself."""
        return self.object != self.commit


@dataclass(frozen=True)
class Git:
    """One repository, at the top of one of its working trees (or bare)."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> Git:
        """The repository that `path` lies in.

        Raises:
            UsageError: It lies in none, or git is not installed.
        """
        try:
            top = cls(path)._lines("rev-parse", "--show-toplevel")
        except CommandError as error:
            raise UsageError(
                f"{path} is not in a git checkout, or git does not run.", "Run this in a clone of the project."
            ) from error
        return cls(Path(top[0]))

    # --- asking ---------------------------------------------------------------------------------------------------

    @cached_property
    def common_dir(self) -> Path:
        """The directory with refs and objects, shared by all working trees."""
        return (self.root / self._line("rev-parse", "--git-common-dir")).resolve()

    def head(self) -> str:
        """The commit checked out here.

        Raises:
            UsageError: There is no commit yet.
        """
        commit = self.commit("HEAD")
        if commit is None:
            raise UsageError(f"{self.root} has no commit yet.", "Commit the project first.")
        return commit

    def branch(self) -> str | None:
        """The branch checked out here; None on a detached HEAD."""
        return self._line("symbolic-ref", "--quiet", "--short", "HEAD", missing="") or None

    def commit(self, revision: str) -> str | None:
        """The commit that `revision` leads to; None if it leads to none."""
        return (
            self._line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", missing="")
            or None
        )

    def commits(self, *revisions: str) -> list[str | None]:
        """The commits that `revisions` lead to, asked of one git; None for each that leads to none."""
        given = "".join(f"{revision}^{{commit}}\n" for revision in revisions).encode()
        lines = self._git("cat-file", "--batch-check=%(objectname)", stdin=given).text.splitlines()
        return [answer[1] for line in lines if (answer := _CHECKED.fullmatch(line))]

    def parent(self, commit: str) -> str | None:
        """The first parent; None for a root commit (or the edge of a shallow clone)."""
        return self.commit(f"{commit}^")

    def changes(self) -> list[str]:
        """`git status` lines of tracked changes and of untracked files that are not ignored."""
        return self._lines("status", "--porcelain")

    def tag(self, name: str) -> Tag | None:
        """The local tag, or None."""
        held = self._line("rev-parse", "--verify", "--quiet", f"refs/tags/{name}", missing="")
        commit = self.commit(f"refs/tags/{name}")
        return Tag(held, commit) if held and commit else None

    def tags(self) -> list[str]:
        """All local tag names."""
        return self._lines("for-each-ref", "--format=%(refname:strip=2)", "refs/tags")

    def tags_of(self, commit: str) -> list[str]:
        """Names of the local tags reachable from `commit`."""
        return self._lines("for-each-ref", "--format=%(refname:strip=2)", f"--merged={commit}", "refs/tags")

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Whether `ancestor` is `descendant` or in its history."""
        return self._git("merge-base", "--is-ancestor", ancestor, descendant, check=False).status == 0

    def count_between(self, older: str, newer: str) -> int:
        """How many commits `newer` has that `older` has not."""
        return int(self._line("rev-list", "--count", f"{older}..{newer}"))

    def time_of(self, commit: str) -> int:
        """The committer's time, in seconds since 1970."""
        return int(self._line("show", "--no-patch", "--format=%ct", commit))

    def subject(self, commit: str) -> str:
        """The first line of the commit message."""
        return self._line("show", "--no-patch", "--format=%s", commit)

    def file(self, commit: str, path: str) -> str | None:
        """A file's text at `commit`, as it is stored; None if it is not there."""
        output = self._git("show", f"{commit}:{path}", check=False)
        return output.text if output.status == 0 else None

    def identity(self) -> str | None:
        """Who git would name as committer; None if it would refuse to commit."""
        output = self._git("var", "GIT_COMMITTER_IDENT", check=False)
        return output.text.rsplit(" ", 2)[0].strip() if output.status == 0 else None

    def is_shallow(self) -> bool:
        """Whether history was cut off when this was cloned."""
        return self._line("rev-parse", "--is-shallow-repository") == "true"

    def remote_url(self, remote: str) -> str | None:
        """Where `remote` leads to; None if there is no such remote."""
        return self._line("remote", "get-url", remote, missing="") or None

    def remote_refs(self, remote: str, *patterns: str) -> dict[str, str]:
        """What the remote's refs hold now, by full ref name; annotated tags also as `refs/tags/NAME^{}`.

        Raises:
            ServiceError: The remote could not be reached.
        """
        try:
            lines = self._lines("ls-remote", "--quiet", remote, *patterns)
        except CommandError as error:
            raise ServiceError(
                f"The git remote {remote} did not answer: {_last(error)}",
                "Check the address and your access, and run again.",
            ) from error
        pairs = (line.split("\t", 1) for line in lines if "\t" in line)
        return {ref: sha for sha, ref in pairs}

    def remote_tag(self, remote: str, name: str) -> Tag | None:
        """The remote's tag as it stands now, or None."""
        refs = self.remote_refs(remote, f"refs/tags/{name}", f"refs/tags/{name}^{{}}")
        held = refs.get(f"refs/tags/{name}")
        return Tag(held, refs.get(f"refs/tags/{name}^{{}}", held)) if held else None

    def remote_branch(self, remote: str, branch: str) -> str | None:
        """The commit of the remote's branch as it stands now, or None."""
        return self.remote_refs(remote, f"refs/heads/{branch}").get(f"refs/heads/{branch}")

    # --- changing -------------------------------------------------------------------------------------------------

    def fetch_objects(self, remote: str, commit: str) -> None:
        """Brings a commit's objects here without moving any ref."""
        self._git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote, commit)

    def add_worktree(self, path: Path, commit: str) -> None:
        """Checks `commit` out, detached, in a working tree of its own; replaces one that lies there."""
        self.remove_worktree(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._git("worktree", "add", "--quiet", "--force", "--detach", str(path), commit)

    def remove_worktree(self, path: Path) -> None:
        """Removes a working tree and what git knows of it; nothing happens if there is none."""
        self._git("worktree", "remove", "--force", "--force", str(path), check=False)
        if path.exists():
            import shutil

            shutil.rmtree(path)
        self._git("worktree", "prune")

    def index_is_locked(self) -> bool:
        """Whether a killed git left this working tree's index locked."""
        return (self.root / self._line("rev-parse", "--git-path", "index.lock")).exists()

    def commit_files(self, message: str, *paths: str) -> str:
        """Commits these files of the working tree and returns the commit."""
        self._git("add", "--", *paths)
        self._git("commit", "--quiet", "--message", message, "--", *paths)
        return self.head()

    def set_ref(self, ref: str, commit: str) -> None:
        """Creates `ref`; fails if it is there already."""
        self._git("update-ref", ref, commit, "0" * 40)

    def delete_ref(self, ref: str) -> None:
        """Deletes `ref`; nothing happens if it is not there."""
        self._git("update-ref", "-d", ref)

    def bundle(self, path: Path, ref: str, base: str | None) -> None:
        """Writes `ref`'s commits since `base` to a file that `unbundle` reads."""
        self._git("bundle", "create", "--quiet", str(path), ref, *([f"^{base}"] if base else []))

    def unbundle(self, path: Path, ref: str) -> bool:
        """Restores `ref` from a bundle; whether that worked (its base must be here)."""
        return self._git("fetch", "--quiet", "--no-tags", str(path), f"{ref}:{ref}", check=False).status == 0

    def create_tag(self, name: str, commit: str, message: str) -> None:
        """Makes an annotated tag (signed if the user's git signs tags)."""
        self._git("tag", "--annotate", name, commit, "--message", message)

    def delete_tag(self, name: str) -> None:
        """Deletes the local tag; nothing happens if it is not there."""
        self._git("tag", "--delete", name, check=False)

    def push(self, remote: str, *refspecs: str) -> None:
        """Pushes all of `refspecs` or none of them.

        Raises:
            ServiceError: The remote refused or did not answer; it says why.
        """
        try:
            self._git("push", "--atomic", "--porcelain", remote, *refspecs)
        except CommandError as error:
            raise ServiceError(
                f"Pushing {', '.join(refspecs)} to {remote} failed; nothing of it arrived: {_last(error, 12)}",
                "Mend what the remote names and run the same command again.",
            ) from error

    def fast_forward(self, commit: str) -> None:
        """Moves the checked-out branch and its files forward to `commit`."""
        self._git("merge", "--ff-only", "--quiet", commit)

    # --- calling --------------------------------------------------------------------------------------------------

    def _git(self, *words: str, stdin: bytes | None = None, check: bool = True) -> process.Output:
        command = ["git", *words]
        return process.run(command, cwd=self.root, env=_QUIET, stdin=stdin, check=check, purpose=f"git {words[0]}")

    def _lines(self, *words: str) -> list[str]:
        return self._git(*words).text.splitlines()

    def _line(self, *words: str, missing: str | None = None) -> str:
        output = self._git(*words, check=missing is None)
        return output.text.strip() if output.status == 0 else str(missing)


def _last(error: CommandError, lines: int = 4) -> str:
    said = [line for line in error.message.splitlines()[1:] if line.strip()]
    return " | ".join(said[-lines:])
