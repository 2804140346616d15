"""One repository: what it and its remotes hold, and changing it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from releaser.adapters import process
from releaser.adapters.environment import Changes, proxy_hint
from releaser.adapters.git.calls import Calls, GitTag, last
from releaser.adapters.git.pushed import UNKNOWN, left_undone
from releaser.adapters.remotes import DEFAULT_LIMITS, GitLimits
from releaser.core.activity import current
from releaser.errors import CommandError, ServiceError, UsageError
from releaser.secret import Redactor

_WHOLE = ("-c", "core.sparseCheckout=false")
_MORE_TIME = "If a hook or the remote needs longer, raise timeout in [tool.releaser.git]."


@dataclass(frozen=True)
class Git(Calls):
    """One repository; see `Calls`."""

    @classmethod
    def at(cls, path: Path, limits: GitLimits = DEFAULT_LIMITS) -> Git:
        """Return the repository that contains `path`.

        Raises:
            UsageError: It is in none, or git is not installed.
        """
        try:
            top = cls(path).lines("rev-parse", "--show-toplevel")
        except CommandError as error:
            raise UsageError(
                f"{path} is not in a git checkout, or git does not run: {last(error)}",
                "Run this in a clone of the project.",
            ) from error
        return cls(Path(top[0]), limits)

    # --- asking ---------------------------------------------------------------------------------------------------

    def head(self) -> str:
        """Return the commit checked out here.

        Raises:
            UsageError: There is no commit yet.
        """
        commit = self.commit("HEAD")
        if commit is None:
            raise UsageError(f"{self.root} has no commit yet", "Commit the project first.")
        return commit

    def branch(self) -> str | None:
        """Return the branch checked out here; None on a detached HEAD."""
        return self.line("symbolic-ref", "--quiet", "--short", "HEAD", missing="") or None

    def commit(self, revision: str) -> str | None:
        """Return the commit that `revision` leads to; None if it leads to none."""
        return (
            self.line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", missing="")
            or None
        )

    def commits(self, *revisions: str) -> list[str | None]:
        """Return the commits that `revisions` lead to, asked of one git; None for each that leads to none."""
        given = "".join(f"{revision}^{{commit}}\n" for revision in revisions).encode()
        lines = self.ask("cat-file", "--batch-check=%(objectname)", stdin=given).text.splitlines()
        return [None if line.endswith(" missing") else line for line in lines]

    def parent(self, commit: str) -> str | None:
        """Return the first parent; None for a root commit (or the edge of a shallow clone)."""
        return self.commit(f"{commit}^")

    def changes(self) -> list[str]:
        """Return `git status` lines of tracked changes and of untracked files that are not ignored."""
        return self.lines("status", "--porcelain", "--untracked-files=normal")

    def tag(self, name: str) -> GitTag | None:
        """Return the local tag, or None."""
        held = self.line("rev-parse", "--verify", "--quiet", f"refs/tags/{name}", missing="")
        commit = self.commit(f"refs/tags/{name}")
        return GitTag(held, commit) if held and commit else None

    def tags(self) -> list[str]:
        """Return all local tag names."""
        return self.lines("for-each-ref", "--format=%(refname:strip=2)", "refs/tags")

    def tags_of(self, commit: str) -> list[str]:
        """Return the names of the local tags reachable from `commit`."""
        return self.lines("for-each-ref", "--format=%(refname:strip=2)", f"--merged={commit}", "refs/tags")

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Return whether `ancestor` is `descendant` or in its history."""
        return self.ask("merge-base", "--is-ancestor", ancestor, descendant, check=False).status == 0

    def count_between(self, older: str, newer: str) -> int:
        """Return how many commits `newer` has that `older` has not."""
        return int(self.line("rev-list", "--count", f"{older}..{newer}"))

    def time_of(self, commit: str) -> int:
        """Return the committer's time, in seconds since 1970."""
        return int(self.line("show", "--no-patch", "--no-show-signature", "--format=%ct", commit))

    def subject(self, commit: str) -> str:
        """Return the first line of the commit message."""
        return self.line("show", "--no-patch", "--no-show-signature", "--format=%s", commit)

    def file(self, commit: str, path: str) -> str | None:
        """Return a file's text at `commit`, as it is stored, through symbolic links; None if it is not there.

        Raises:
            UsageError: It is not UTF-8, or is a link that leads out of the repository.
        """
        given = f"{commit}:{path}\n".encode()
        answer = self.ask("cat-file", "--batch", "--follow-symlinks", stdin=given).stdout
        header, _, rest = answer.partition(b"\n")
        if header.startswith(b"symlink "):
            target = rest.rstrip(b"\n").decode("utf-8", "replace")
            raise UsageError(
                f"{path} at {commit[:12]} is a symbolic link to {target}, outside the repository",
                "Replace the link with the file.",
            )
        words = header.split(b" ")
        if len(words) != 3 or words[1] != b"blob":  # missing, dangling, loop, notdir, or a directory
            return None
        try:
            return rest[: int(words[2])].decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} at {commit[:12]} is not UTF-8: {error.reason}", "Save it as UTF-8.") from None

    def blobs(self, ids: Iterable[str]) -> list[bytes]:
        """Return the contents of blobs, in order, asked of one git."""
        wanted = "".join(f"{name}\n" for name in ids).encode()
        rest, found = self.ask("cat-file", "--batch", stdin=wanted).stdout if wanted else b"", []
        while rest:
            header, _, rest = rest.partition(b"\n")
            size = int(header.rpartition(b" ")[2])
            found.append(rest[:size])
            rest = rest[size + 1 :]
        return found

    def git_path(self, name: str) -> Path:
        """Return where git keeps `name`: objects, config, index, or a directory of its own."""
        return self.root / self.line("rev-parse", "--git-path", name)

    def remote_url(self, remote: str) -> str | None:
        """Return a remote's address, without credentials that may be in it; None if there is no such remote."""
        return Redactor()(self.line("remote", "get-url", remote, missing="")) or None

    def remote_refs(self, remote: str, *patterns: str) -> dict[str, str]:
        """Return what branches and tags the remote has, by full ref name; annotated ones also as `refs/tags/NAME^{}`.

        They are asked for together, once in a survey or a phase: each connection may cost the touch of a security key.

        Raises:
            ServiceError: The remote refused, could not be reached, or did not respond in time.
        """
        held = current().answers.once(("git remote", self.root, remote), lambda: self._ask_remote(remote))
        return {ref: sha for ref, sha in held.items() if any(fnmatchcase(ref, one) for one in patterns)}

    def _ask_remote(self, remote: str) -> dict[str, str]:
        words = ("ls-remote", "--quiet", remote, "refs/heads/*", "refs/tags/*")
        within = current().at_most(self.limits.ask)
        try:
            lines = self.ask(*words, env=self.network(), within=within).text.splitlines()
        except process.NoAnswerError:
            time = f"within {within:.0f} s" if within >= 1 else "in time"  # others may have taken all of it
            raise ServiceError(
                f"The git remote {remote} did not respond {time}",
                f"Check the network and its address (`git remote get-url {remote}`), then rerun the command.",
            ) from None
        except CommandError as error:
            raise ServiceError(
                f"Could not read the git remote {remote}: {last(error, 6)}",
                f"Check its address and your access to it, then rerun the command.{proxy_hint(error.message)}",
            ) from error
        pairs = (line.split("\t", 1) for line in lines if "\t" in line)
        return {ref: sha for sha, ref in pairs}

    def remote_tag(self, remote: str, name: str) -> GitTag | None:
        """Return the remote's current tag, or None."""
        refs = self.remote_refs(remote, "refs/tags/*")
        held = refs.get(f"refs/tags/{name}")
        return GitTag(held, refs.get(f"refs/tags/{name}^{{}}", held)) if held else None

    def remote_tags(self, remote: str) -> dict[str, str]:
        """Return the commit of each of the remote's current tags, by name."""
        refs = self.remote_refs(remote, "refs/tags/*")
        names = (ref.removeprefix("refs/tags/") for ref in refs if not ref.endswith("^{}"))
        return {name: refs.get(f"refs/tags/{name}^{{}}", refs[f"refs/tags/{name}"]) for name in names}

    def remote_branch(self, remote: str, branch: str) -> str | None:
        """Return the current commit of the remote's branch, or None."""
        return self.remote_refs(remote, "refs/heads/*").get(f"refs/heads/{branch}")

    # --- changing -------------------------------------------------------------------------------------------------

    def fetch_objects(self, remote: str, commit: str) -> None:
        """Fetch a commit's objects without moving any ref.

        Raises:
            CommandError: The remote refused, could not be reached, or did not respond in time.
        """
        words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", remote, commit)
        with current().answers.alone():
            self.run(*words, env=self.network(), within=self.limits.transfer)

    def fetch_tag(self, remote: str, name: str) -> None:
        """Fetch a tag, and what it leads to, under its own name; a tag that is here already is not replaced.

        Raises:
            CommandError: The remote refused, could not be reached, or did not respond in time.
        """
        self.fetch_objects(remote, f"refs/tags/{name}:refs/tags/{name}")

    def index_is_locked(self) -> bool:
        """Return whether a killed git left this working tree's index locked, or not even written."""
        return self.git_path("index.lock").exists() or not self.git_path("index").exists()

    def commit_files(self, message: str, *paths: str) -> str:
        """Commit these files of the working tree, byte for byte, and return the commit."""
        self._stage(*paths)
        self.run(*_WHOLE, "commit", "--quiet", "--message", message)
        return self.head()

    def commit_tree_of(self, message: str, who: Changes, *paths: str) -> str:
        """Return a commit of the same on top of HEAD, unsigned and without hooks; HEAD stays where it is.

        Args:
            message: Its message.
            who: Git's variables for author and committer, their dates too.
            *paths: The files.
        """
        self._stage(*paths)
        tree = self.line("write-tree")
        return self.ask("commit-tree", "-p", "HEAD", "-m", message, tree, env=who).text.strip()

    def _stage(self, *paths: str) -> None:
        # Not `git add`: it converts line ends and runs filters as the user's settings say.
        self.run(*_WHOLE, "read-tree", "-m", "HEAD")
        listed = self.ask("ls-files", "--stage", "-z", "--", *paths).stdout.split(b"\0")
        known = {os.fsdecode(line.partition(b"\t")[2]): line[:6].decode() for line in listed}
        names = self.lines("hash-object", "-w", "--no-filters", "--", *paths)
        entries = [f"{known.get(path, '100644')},{name},{path}" for path, name in zip(paths, names, strict=True)]
        self.run(*_WHOLE, "update-index", "--add", *(word for one in entries for word in ("--cacheinfo", one)))

    def set_ref(self, ref: str, commit: str) -> None:
        """Create `ref`; fail if it is there already."""
        self.run("update-ref", ref, commit, "")

    def delete_ref(self, ref: str) -> None:
        """Delete `ref`; nothing happens if it is not there."""
        self.run("update-ref", "-d", ref)

    def bundle(self, path: Path, ref: str, base: str | None) -> None:
        """Write `ref`'s commits since `base` to a file that `unbundle` reads."""
        self.run("bundle", "create", "--quiet", str(path), ref, *([f"^{base}"] if base else []))

    def unbundle(self, path: Path, ref: str) -> bool:
        """Restore `ref` from a bundle; return whether that worked (its base must be here)."""
        words = ("--quiet", "--no-tags", "--no-write-fetch-head", str(path), f"{ref}:{ref}")
        return self.run("fetch", *words, check=False).status == 0

    def create_tag(self, name: str, commit: str, message: str) -> None:
        """Create an annotated tag (signed if the user's git signs tags)."""
        self.run("tag", "--annotate", name, commit, "--message", message)

    def delete_tag(self, name: str) -> None:
        """Delete the local tag; nothing happens if it is not there."""
        self.run("tag", "--delete", name, check=False)

    def push(self, remote: str, *refspecs: str) -> None:
        """Push all of `refspecs` or none of them, and nothing else, whatever the user's git pushes by itself.

        Raises:
            ServiceError: The remote refused, could not be reached, or did not respond in time.
        """
        pushing = f"Pushing {', '.join(refspecs)} to {remote}"
        alone = ("--atomic", "--no-follow-tags", "--recurse-submodules=no", "--porcelain")
        try:
            with current().answers.alone():
                current().answers.forget()
                self.run("push", *alone, remote, *refspecs, env=self.network(), within=self.limits.transfer)
        except process.NoAnswerError:
            raise ServiceError(
                f"{pushing} did not end within {self.limits.transfer:.0f} s; {UNKNOWN}",
                f"Rerun the command, which asks the remote before it pushes again. {_MORE_TIME}",
            ) from None
        except CommandError as error:
            if left := left_undone(self, refspecs, error, lambda: self._ask_remote(remote)):
                remedy = f"Fix what the remote names, then rerun the command.{proxy_hint(error.message)}"
                raise ServiceError(f"{pushing} failed; {left}: {last(error, 12)}", remedy) from error

    def fast_forward(self, commit: str) -> None:
        """Move the checked-out branch and its files forward to `commit`."""
        self.run("merge", "--ff-only", "--quiet", commit)
