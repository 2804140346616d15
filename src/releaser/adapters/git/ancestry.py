"""Which tags of a remote are in a commit's history, in clones that lack history as in full ones."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from releaser.adapters.git.repository import Git


def first_merged(git: Git, remote: str, tags: Mapping[str, str], commit: str, branch: str) -> str | None:
    """Return the first of a remote's tags whose commit is `commit` or in its history.

    Args:
        git: The user's clone.
        remote: The remote's name.
        tags: The commit of each tag, in the order in which to look.
        commit: A commit of `branch`.
        branch: The branch at the remote that has the history which a shallow clone lacks.

    Raises:
        CommandError: The clone is shallow, and the remote refused, could not be reached, or did not respond in time.
    """
    here = dict(zip(tags, git.commits(*tags.values()) if tags else [], strict=True))
    merged = (name for name, at in here.items() if at and git.contains(commit, at))
    if not tags or git.line("rev-parse", "--is-shallow-repository") != "true":
        return next(merged, None)  # what is not here cannot be in a history that is here as a whole
    found = set(merged)  # the remote's branch may not have the newest commits yet
    with tempfile.TemporaryDirectory(prefix="releaser-history-") as room:
        full = _history(git, remote, branch, Path(room), tags)
        return next((name for name, at in tags.items() if name in found or full.contains(branch, at)), None)


def _history(git: Git, remote: str, branch: str, room: Path, tags: Mapping[str, str]) -> Git:
    """Return a repository with the commits of a branch and of tags, and with no files.

    It is apart from the user's, whose clone stays as shallow as it was made.
    """
    form = "sha1" if all(len(at) == 40 for at in tags.values()) else "sha256"
    bare = Git(room, git.limits)
    bare.run("init", "--quiet", "--bare", "--template=", f"--object-format={form}", ".")
    # The user's repository says where the remote is and how to log in.
    settings = ("-c", f"include.path={git.git_path('config').resolve()}", "-c", "core.bare=true")
    refs = (f"+refs/heads/{branch}:refs/heads/{branch}", *(f"+refs/tags/{name}:refs/tags/{name}" for name in tags))
    words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--filter=tree:0")
    bare.run(*settings, *words, remote, *refs, env=git.network(), within=git.limits.transfer)
    return bare
