"""The release commit as a function of its parent, the version and a time: made again anywhere, it is the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from releaser.adapters.git import Git
from releaser.adapters.git.job import BOT
from releaser.core.files import inside, write_atomically
from releaser.versions.version import Version
from releaser.versions.version_file import VersionFile


def epoch_for(parent_time: int, moment: int) -> int:
    """Return the release commit's time: the beginning of the day in UTC, and not before its parent.

    A workflow that is started again for the same commit and the same day makes the same release commit.
    """
    day = dt.datetime.fromtimestamp(moment, dt.timezone.utc).date()
    return max(parent_time, int(dt.datetime.combine(day, dt.time(), dt.timezone.utc).timestamp()))


def day_of(epoch: int) -> dt.date:
    """Return the day in UTC."""
    return dt.datetime.fromtimestamp(epoch, dt.timezone.utc).date()


def commit_version(
    tree: Git,
    version: Version,
    files: Sequence[VersionFile],
    changelog: tuple[str, str] | None,
    message: str,
    epoch: int,
) -> str:
    """Write the version into a working tree and return the commit of that; no ref is moved.

    Args:
        tree: A working tree that is exactly the parent.
        version: What is released.
        files: The files that declare it.
        changelog: The changelog's path and its new text; None leaves it as it is.
        message: The commit's.
        epoch: Its time, in seconds since 1970.
    """
    root: Path = tree.root
    paths = [file.path for file in files]
    for file in files:
        file.write(root, version)
    if changelog:
        write_atomically(root / changelog[0], changelog[1])
        paths.append(changelog[0])
    # What a link leads to is what was written.
    paths = list(dict.fromkeys(inside(root, path) or path for path in paths))
    when = f"{epoch} +0000"
    return tree.commit_tree_of(message, {**BOT, "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}, *paths)
