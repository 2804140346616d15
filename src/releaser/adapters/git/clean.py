"""Git without the user: a commit's blobs are written and its attributes read as they are committed.

A working tree takes over what the user's repository says of line ends, filters, attributes and sparse sets, and in a
linked one (`git worktree`) most of that cannot be overruled: info/attributes, for example, belongs to all of them. So
the files are written with a git directory of our own, which has nothing but the user's objects.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from releaser.adapters.environment import Changes
from releaser.adapters.git.repository import Git

# What no attribute can say but `!`: true and false are not encodings.
_NO_CONVERSION = "* -text -eol -crlf -ident -filter !working-tree-encoding\n"
CONVERTING = ("filter", "eol", "ident", "working-tree-encoding")
"""The attributes that make a checkout differ from the blobs."""

_CONFIG = """[core]
\trepositoryformatversion = {format}
\tbare = false
\tfilemode = true
\tsymlinks = true
\tattributesFile = {nothing}
"""
_SHA256_LENGTH = 64


@dataclass(frozen=True)
class CleanGit:
    """Git with a commit's blobs, and with no settings.

    Attributes:
        git: The repository that has the objects.
        commit: The commit.
        directory: The git directory.
    """

    git: Git
    commit: str
    directory: Path

    def write(self, tree: Path, index: Path | None = None) -> None:
        """Write every blob of the commit into an empty tree, byte for byte, and an index that says so."""
        (self.directory / "info" / "attributes").write_text(_NO_CONVERSION)
        tree.mkdir(mode=0o755, parents=True, exist_ok=True)
        env = {"GIT_WORK_TREE": str(tree), "GIT_INDEX_FILE": str(index or self.directory / "index")}
        self.git.run("read-tree", "--reset", "-u", self.commit, env={**self._env(), **env}, umask=0o022)
        (self.directory / "info" / "attributes").unlink()

    def conversions(self, paths: Sequence[str]) -> list[tuple[str, str, str]]:
        """Return which conversions the committed attributes ask for: path, attribute, value."""
        env = {**self._env(), "GIT_INDEX_FILE": str(self.directory / "attributes.index")}
        self.git.run("read-tree", self.commit, env=env)
        given = b"".join(os.fsencode(path) + b"\0" for path in paths)
        answer = self.git.ask("check-attr", "--cached", "--stdin", "-z", *CONVERTING, env=env, stdin=given).stdout
        words = [os.fsdecode(word) for word in answer.split(b"\0")]
        found = zip(words[::3], words[1::3], words[2::3], strict=False)
        return [(path, name, value) for path, name, value in found if value not in ("unspecified", "unset", "lf")]

    def _env(self) -> Changes:
        return {
            "GIT_DIR": str(self.directory),
            "GIT_OBJECT_DIRECTORY": str(self.git.git_path("objects")),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": None,
            "GIT_CONFIG_PARAMETERS": None,
        }


@contextmanager
def clean_git(git: Git, commit: str) -> Iterator[CleanGit]:
    """Make a git directory without settings for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="releaser-git-") as room:
        directory = Path(room) / "git"
        for name in ("refs", "objects", "info"):
            (directory / name).mkdir(parents=True)
        (directory / "HEAD").write_text("ref: refs/heads/none\n")
        sha256 = len(commit) == _SHA256_LENGTH
        config = _CONFIG.format(format=1 if sha256 else 0, nothing=os.devnull)
        (directory / "config").write_text(config + ("[extensions]\n\tobjectFormat = sha256\n" if sha256 else ""))
        yield CleanGit(git, commit, directory)
