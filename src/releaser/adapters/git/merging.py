"""Merging two commits without a checkout: the release commit comes into a branch that has moved as it is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from releaser.adapters.git.repository import Git
from releaser.errors import StepError


@dataclass(frozen=True)
class Merged:
    """What a merge comes to: a tree, and the files in it that git could not merge."""

    tree: str
    conflicts: tuple[str, ...]


def merge_base(git: Git, one: str, other: str) -> str | None:
    """Return the newest commit that both have in their history; None if there is none."""
    return git.line("merge-base", one, other, missing="") or None


def merge_trees(git: Git, ours: str, theirs: str) -> Merged:
    """Merge two commits into a tree; no ref, no index and no file is touched.

    Raises:
        StepError: This git cannot merge without a checkout.
    """
    words = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs)
    answer = git.ask(*words, check=False)
    if answer.status not in (0, 1):
        raise StepError(
            "This git cannot merge without a checkout", "Install git 2.38 or newer, or choose another way to go on."
        )
    tree, *files = (os.fsdecode(part) for part in answer.stdout.rstrip(b"\0").split(b"\0"))
    return Merged(tree, tuple(dict.fromkeys(files)))


def with_texts(git: Git, tree: str, texts: Mapping[str, str]) -> str:
    """Return a tree that differs from another by the texts of some of its files."""
    with tempfile.TemporaryDirectory(prefix="releaser-merge-") as room:
        env = {"GIT_INDEX_FILE": str(Path(room, "index"))}
        git.run("read-tree", tree, env=env)
        for path, text in texts.items():
            blob = git.ask("hash-object", "-w", "--stdin", stdin=text.encode()).text.strip()
            git.run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=env)
        return git.ask("write-tree", env=env).text.strip()


def commit_merge(git: Git, tree: str, parents: tuple[str, str], message: str) -> str:
    """Return a merge commit of a tree, signed if the user's git signs commits."""
    signs = git.line("config", "--type=bool", "commit.gpgSign", missing="") == "true"
    words = [word for parent in parents for word in ("-p", parent)]
    return git.ask("commit-tree", *(["-S"] if signs else []), *words, "-m", message, tree).text.strip()
