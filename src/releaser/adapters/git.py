"""The user's git, called as a program in one repository."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from releaser.adapters import process
from releaser.errors import CommandError, ServiceError, UsageError
from releaser.secret import Redactor

_QUIET: dict[str, str | None] = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
    "GIT_DIR": None,
    "GIT_WORK_TREE": None,
    "GIT_INDEX_FILE": None,
    "GIT_COMMON_DIR": None,
    "GIT_OBJECT_DIRECTORY": None,
}


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
                f"{path} is not in a git checkout, or git does not run: {_last(error)}",
                "Run this in a clone of the project.",
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
        lines = self._ask("cat-file", "--batch-check=%(objectname)", stdin=given).text.splitlines()
        return [None if line.endswith(" missing") else line for line in lines]

    def parent(self, commit: str) -> str | None:
        """The first parent; None for a root commit (or the edge of a shallow clone)."""
        return self.commit(f"{commit}^")

    def changes(self) -> list[str]:
        """`git status` lines of tracked changes and of untracked files that are not ignored."""
        return self._lines("status", "--porcelain", "--untracked-files=normal")

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
        return self._ask("merge-base", "--is-ancestor", ancestor, descendant, check=False).status == 0

    def count_between(self, older: str, newer: str) -> int:
        """How many commits `newer` has that `older` has not."""
        return int(self._line("rev-list", "--count", f"{older}..{newer}"))

    def time_of(self, commit: str) -> int:
        """The committer's time, in seconds since 1970."""
        return int(self._line("show", "--no-patch", "--no-show-signature", "--format=%ct", commit))

    def subject(self, commit: str) -> str:
        """The first line of the commit message."""
        return self._line("show", "--no-patch", "--no-show-signature", "--format=%s", commit)

    def file(self, commit: str, path: str) -> str | None:
        """A file's text at `commit`, as it is stored; None if it is not there.

        Raises:
            UsageError: It is not UTF-8.
        """
        answer = self._ask("cat-file", "blob", f"{commit}:{path}", check=False)
        try:
            return answer.stdout.decode("utf-8") if answer.status == 0 else None
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} at {commit[:12]} is not UTF-8: {error.reason}.", "Save it as UTF-8.") from None

    def identity(self) -> str | None:
        """Who git would name as committer; None if it would refuse to commit."""
        answer = self._ask("var", "GIT_COMMITTER_IDENT", check=False)
        return answer.text.rsplit(" ", 2)[0].strip() if answer.status == 0 else None

    def is_shallow(self) -> bool:
        """Whether history was cut off when this was cloned."""
        return self._line("rev-parse", "--is-shallow-repository") == "true"

    def remote_url(self, remote: str) -> str | None:
        """Where `remote` leads to, without the credentials that may stand in it; None if there is no such remote."""
        return Redactor()(self._line("remote", "get-url", remote, missing="")) or None

    def remote_refs(self, remote: str, *patterns: str) -> dict[str, str]:
        """What the remote's refs hold now, by full ref name; annotated tags also as `refs/tags/NAME^{}`.

        Raises:
            ServiceError: The remote could not be reached.
        """
        try:
            lines = self._lines("ls-remote", "--quiet", remote, *patterns)
        except CommandError as error:
            raise ServiceError(
                f"The git remote {remote} did not answer: {_last(error, 6)}",
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
        """Removes a working tree and what git knows of it, half made or not; nothing happens if there is none."""
        if path.exists():
            import shutil

            shutil.rmtree(path)
        # Twice, because a git that was killed while it made the tree has left it locked. Not `prune`: it would forget
        # the user's own trees on a disk that is not mounted now.
        self._git("worktree", "remove", "--force", "--force", str(path), check=False)

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
        self._git("update-ref", ref, commit, "")

    def delete_ref(self, ref: str) -> None:
        """Deletes `ref`; nothing happens if it is not there."""
        self._git("update-ref", "-d", ref)

    def bundle(self, path: Path, ref: str, base: str | None) -> None:
        """Writes `ref`'s commits since `base` to a file that `unbundle` reads."""
        self._git("bundle", "create", "--quiet", str(path), ref, *([f"^{base}"] if base else []))

    def unbundle(self, path: Path, ref: str) -> bool:
        """Restores `ref` from a bundle; whether that worked (its base must be here)."""
        words = ("--quiet", "--no-tags", "--no-write-fetch-head", str(path), f"{ref}:{ref}")
        return self._git("fetch", *words, check=False).status == 0

    def create_tag(self, name: str, commit: str, message: str) -> None:
        """Makes an annotated tag (signed if the user's git signs tags)."""
        self._git("tag", "--annotate", name, commit, "--message", message)

    def delete_tag(self, name: str) -> None:
        """Deletes the local tag; nothing happens if it is not there."""
        self._git("tag", "--delete", name, check=False)

    def push(self, remote: str, *refspecs: str) -> None:
        """Pushes all of `refspecs` or none of them, and nothing else, whatever the user's git pushes by itself.

        Raises:
            ServiceError: The remote refused or did not answer; it says why.
        """
        try:
            self._git("push", "--atomic", "--no-follow-tags", "--porcelain", remote, *refspecs)
        except CommandError as error:
            raise ServiceError(
                f"Pushing {', '.join(refspecs)} to {remote} failed; nothing of it arrived: {_last(error, 12)}",
                "Mend what the remote names and run the same command again.",
            ) from error

    def fast_forward(self, commit: str) -> None:
        """Moves the checked-out branch and its files forward to `commit`."""
        self._git("merge", "--ff-only", "--quiet", commit)

    # --- calling --------------------------------------------------------------------------------------------------

    def _git(self, *words: str, check: bool = True) -> process.Output:
        return process.run(["git", *words], cwd=self.root, env=_QUIET, check=check, purpose=f"git {words[0]}")

    def _ask(self, *words: str, stdin: bytes | None = None, check: bool = True) -> process.Answer:
        command = ["git", *words]
        return process.ask(command, cwd=self.root, env=_QUIET, stdin=stdin, check=check, purpose=f"git {words[0]}")

    def _lines(self, *words: str) -> list[str]:
        return self._ask(*words).text.splitlines()

    def _line(self, *words: str, missing: str | None = None) -> str:
        answer = self._ask(*words, check=missing is None)
        return answer.text.strip() if answer.status == 0 else str(missing)


def _last(error: CommandError, lines: int = 4) -> str:
    said = [line for line in error.message.splitlines()[1:] if line.strip()]
    return " | ".join(said[-lines:])


def repository_of(url: str) -> str | None:
    """OWNER/NAME from a remote's address: https, ssh or user@host:OWNER/NAME; None for other forms."""
    import re

    match = re.fullmatch(r"(?:https?://[^/]+/|ssh://[^/]+/|[^@:/]+@[^:/]+:)([^/]+/[^/]+?)(?:\.git)?/?", url)
    return match[1] if match else None
