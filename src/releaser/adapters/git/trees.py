"""Trees that are exactly a commit: its blobs, its links, its submodules at their recorded commits, its LFS content.

Blobs are written as they are committed, byte for byte. No line-end conversion, encoding, keyword or filter applies, not
even one that a committed .gitattributes asks for (`eol=crlf`): what is released depends on the commit alone. Git LFS is
the exception, because what is committed there only names the content.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from releaser.adapters.git import lfs
from releaser.adapters.git.clean import clean_git
from releaser.adapters.git.entries import Entry, differences, entries
from releaser.adapters.git.repository import Git
from releaser.adapters.git.submodules import Origin, Submodule, fetched, held, submodules
from releaser.errors import StepError

_IN_TURN = threading.Lock()
"""Held while git changes or reads its list of trees: it fails on a tree that another git has half made."""


def add_worktree(git: Git, path: Path, commit: str, remote: str = "origin", cache: Path | None = None) -> None:
    """Check `commit` out, detached, in a working tree of its own that is exactly it; replace one that is there.

    Args:
        git: The repository.
        path: The tree's place.
        commit: The commit.
        remote: The remote that addresses of submodules are relative to.
        cache: Where submodules' objects are fetched to; a temporary place next to the tree by default.

    Raises:
        StepError: The tree that was made is not the commit.
        UsageError: A submodule has no address, or git-lfs is needed and not installed.
        ServiceError: A submodule or LFS content could not be fetched.
    """
    remove_worktree(git, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a checkout git runs no hook and no filter.
    with _IN_TURN:
        git.run("worktree", "add", "--quiet", "--force", "--detach", "--no-checkout", str(path), commit)
    tree = Git(path)
    tree.git_path("info/sparse-checkout").unlink(missing_ok=True)
    index = tree.git_path("index")
    # The index is the last to come: a tree without one was not finished.
    draft = index.with_name("index.part")
    export(git, commit, path, remote, cache, index=draft)
    draft.replace(index)


def remove_worktree(git: Git, path: Path) -> None:
    """Remove a working tree and what git knows of it, half made or not; nothing happens if there is none."""
    if path.exists():
        shutil.rmtree(path)
    # Twice, because a git that was killed while it made the tree has left it locked. Not `prune`: it would forget
    # the user's own trees on a disk that is not mounted now.
    with _IN_TURN:
        git.run("worktree", "remove", "--force", "--force", str(path), check=False)


def has_worktree(git: Git, path: Path) -> bool:
    """Return whether there is a working tree at a place, or git takes it that there is: its directory may be gone."""
    with _IN_TURN:
        lines = git.lines("worktree", "list", "--porcelain")
    known = {Path(line.partition(" ")[2]).resolve() for line in lines if line.startswith("worktree ")}
    return path.exists() or path.resolve() in known


def export(
    git: Git, commit: str, tree: Path, remote: str = "origin", cache: Path | None = None, *, index: Path | None = None
) -> dict[str, Entry]:
    """Write a commit into a tree that is empty or not there, compare the two, and return its files.

    The arguments and errors are those of `add_worktree`; `index` is the index file to write.
    """
    commit = git.commit(commit) or commit
    room = cache or tree.with_name(f".{tree.name}.modules")
    try:
        wanted = _files(git, commit, Origin.of(git, remote), room, tree, index)
    finally:
        if cache is None:
            shutil.rmtree(room, ignore_errors=True)
    if wrong := differences(tree, wanted):
        shown = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise StepError(
            f"{tree} is not commit {commit[:12]}: {shown}",
            "Put the state directory (RELEASER_STATE_DIR) on a file system that keeps names, modes and links.",
        )
    return wanted


def files_of(git: Git, commit: str, remote: str, cache: Path) -> dict[str, Entry]:
    """Return the files that a tree of the commit has, submodules' files included, by path; see `add_worktree`.

    Raises:
        ServiceError: A submodule's objects are not here any more and could not be fetched.
        UsageError: A submodule has no address.
    """
    return _files(git, git.commit(commit) or commit, Origin.of(git, remote), cache)


@dataclass
class NamedOnly:
    """What a commit names, and its own objects do not hold.

    Attributes:
        pointers: The sha256 of content that is in Git LFS, by path.
        here: Submodules whose recorded commit the user's checkout has.
        elsewhere: Submodules that have to be fetched, and what their addresses are relative to.
        conversions: What else the attributes ask for, such as eol=crlf, and for how many files.
    """

    pointers: dict[str, str] = field(default_factory=dict)
    here: list[Submodule] = field(default_factory=list)
    elsewhere: list[tuple[Origin, Submodule]] = field(default_factory=list)
    conversions: Counter[str] = field(default_factory=Counter)


def named_only(git: Git, commit: str, remote: str = "origin") -> NamedOnly:
    """Return what has to be had from elsewhere for a tree of the commit."""
    found = NamedOnly()
    _look(found, git, commit, Origin.of(git, remote), "")
    return found


def _look(found: NamedOnly, git: Git, commit: str, origin: Origin, prefix: str) -> None:
    _fetch_missing(git, commit)
    files = entries(git, commit)
    with clean_git(git, commit) as clean:
        pointers = lfs.pointers(clean, files)
        asked = ((name, value) for _, name, value in lfs.conversions(clean, files))
        found.conversions.update("=".join(one) for one in asked if one != lfs.LFS)
    found.pointers |= {f"{prefix}{path}": sha256 for path, sha256 in pointers.items()}
    for one in submodules(git, commit, files, origin.address):
        shown = replace(one, path=f"{prefix}{one.path}")
        if inner := held(origin, one):
            found.here.append(shown)
            _look(found, inner, one.commit, origin.inside(one, inner), f"{shown.path}/")
        else:
            found.elsewhere.append((origin, shown))


def _files(
    git: Git, commit: str, origin: Origin, cache: Path, tree: Path | None = None, index: Path | None = None
) -> dict[str, Entry]:
    """Return the files of a commit; write them, too, if there is a tree to write them to."""
    _fetch_missing(git, commit)
    found = entries(git, commit)
    with clean_git(git, commit) as clean:
        pointers = lfs.pointers(clean, found)
        if tree:
            clean.write(tree, index)
            lfs.replace(origin.git, tree, pointers)
    found |= {path: replace(found[path], lfs=sha256) for path, sha256 in pointers.items()}
    for one in submodules(git, commit, found, origin.address):
        inner = held(origin, one) or fetched(origin, one, cache)
        del found[one.path]
        files = _files(inner, one.commit, origin.inside(one, inner), cache, tree / one.path if tree else None)
        found |= {f"{one.path}/{name}": entry for name, entry in files.items()}
    return found


def _fetch_missing(git: Git, commit: str) -> None:
    """Fetch what a partial clone lacks of a commit, all at once; git itself would ask for each file alone."""
    for line in git.line("config", "--get-regexp", r"^remote\..*\.promisor$", missing="").splitlines():
        remote = re.sub(r"^remote\.(.*)\.promisor .*$", r"\1", line)
        for _ in range(2):  # trees first, where these are missing too
            listed = git.lines("rev-list", "--objects", "--missing=print", "--no-walk", commit)
            lacking = [name[1:] for name in listed if name.startswith("?")]
            if not lacking:
                return
            words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no")
            given = "".join(f"{name}\n" for name in lacking).encode()
            git.run(
                *("-c", "fetch.negotiationAlgorithm=noop"),
                *(*words, "--filter=blob:none", "--stdin", remote),
                env=git.network(),
                stdin=given,
                check=False,
                within=git.limits.transfer,
            )
