"""Git LFS: which files of a commit are pointers, and the content that they stand for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from releaser.adapters.git.clean import CONVERTING, CleanGit
from releaser.adapters.git.entries import LINK, SUBMODULE, Entry
from releaser.adapters.git.repository import Git
from releaser.errors import ServiceError, UsageError

_POINTER = re.compile(rb"version https://git-lfs[^\n]*\n(?:[^\n]*\n)*?oid sha256:([0-9a-f]{64})\n")
LFS = ("filter", "lfs")
INSTALL = "Install git-lfs and run `git lfs install`, or commit the files without it."


def pointers(clean: CleanGit, files: Mapping[str, Entry]) -> dict[str, str]:
    """Return the sha256 that each Git LFS pointer names, by path: the committed attributes say what may be one."""
    chosen = [path for path, name, value in conversions(clean, files) if (name, value) == LFS]
    found = zip(chosen, clean.git.blobs(files[path].id for path in chosen), strict=True)
    return {path: named[1].decode() for path, content in found if (named := _POINTER.match(content))}


def conversions(clean: CleanGit, files: Mapping[str, Entry]) -> list[tuple[str, str, str]]:
    """Return which conversions a checkout would make of the files, as committed: path, attribute, value."""
    rules = [entry.id for path, entry in files.items() if Path(path).name == ".gitattributes" and entry.mode != LINK]
    if not any(name.encode() in content for content in clean.git.blobs(rules) for name in CONVERTING):
        return []
    return clean.conversions([path for path, entry in files.items() if entry.mode not in (LINK, SUBMODULE)])


def is_pointer(content: bytes) -> bool:
    """Return whether this is a pointer in the place of a file's content."""
    return _POINTER.match(content) is not None


def available(git: Git) -> bool:
    """Return whether git-lfs is installed."""
    return git.ask("lfs", "version", check=False).status == 0


def replace(user: Git, tree: Path, wanted: Mapping[str, str]) -> None:
    """Put the content that pointers stand for in their place, from the user's LFS store or from the LFS server.

    Raises:
        UsageError: git-lfs is not installed.
        ServiceError: It did not give the content that a pointer names.
    """
    if not wanted:
        return
    if not available(user):
        raise UsageError(missing(wanted), INSTALL)
    for path, sha256 in wanted.items():
        pointer = (tree / path).read_bytes()
        env = {**user.network(), "GIT_LFS_SKIP_SMUDGE": None}
        answer = user.ask("lfs", "smudge", "--", path, env=env, stdin=pointer, check=False, within=user.limits.transfer)
        if hashlib.sha256(answer.stdout).hexdigest() != sha256:
            raise ServiceError(
                f"git-lfs did not give the content of {path} (sha256 {sha256[:12]})",
                "Run `git lfs fetch`, which shows the reason, then rerun the command.",
            )
        (tree / path).write_bytes(answer.stdout)


def missing(paths: Mapping[str, str]) -> str:
    """Return the sentence that names files whose content is in Git LFS, where git-lfs is not installed."""
    names = ", ".join(list(paths)[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
    return f"The commit has Git LFS pointers in the place of {names}, and git-lfs is not installed"
