"""What can befall files on this machine, one function each: torn, altered, renamed, locked, no space, no permission.

Only this process meets a full disk or a missing permission: git, twine and other programs write as before.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from releaser.core.chain import head_of
from releaser.core.files import SUMS, sha256
from releaser.dists.built import read_dists
from releaser.release import Release

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_HELD = ExitStack()
"""What is held until this process ends."""


def tear_journal(release: Release) -> None:
    """Leave half of a line at the end, as a kill in the middle of writing it does."""
    with release.store.journal.open("ab") as file:
        file.write(b'{"at": "2026-01-01T00:00:00.000+00:00", "event": "fini')


def cut_journal(release: Release) -> None:
    """Remove the last three lines."""
    path = release.store.journal
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-3]))


def alter_journal(release: Release) -> None:
    """Change a word in the middle."""
    path = release.store.journal
    lines = path.read_bytes().splitlines(keepends=True)
    lines[len(lines) // 2] = lines[len(lines) // 2].replace(b'"at"', b'"At"', 1)
    path.write_bytes(b"".join(lines))


def lose_journal(release: Release) -> None:
    """Delete the journal, but not its head."""
    release.store.journal.unlink()


def tear_journal_head(release: Release) -> None:
    """Leave half of the journal's head."""
    _halve(head_of(release.store.journal))


def tear_receipts(release: Release) -> None:
    """Leave half of each receipt."""
    for path in _receipts(release):
        _halve(path)


def rename_receipts(release: Release) -> None:
    """Give the receipts of the wheel to another wheel."""
    (path,) = {one.parent for one in _receipts(release)}
    path.rename(path.with_name("0" * len(path.name)))


def tear_wheel(release: Release) -> None:
    """Leave half of the wheel."""
    _halve(_built(release, ".whl"))


def alter_wheel(release: Release) -> None:
    """Append to the wheel, which then still is one."""
    _append(_built(release, ".whl"))


def alter_sdist(release: Release) -> None:
    """Append to the sdist."""
    _append(_built(release, ".gz"))


def forge_sdist(release: Release) -> None:
    """Append to the sdist, and have SHA256SUMS agree."""
    path, sums = _built(release, ".gz"), release.store.dist / SUMS
    before = sha256(path)
    _append(path)
    sums.write_text(sums.read_text("utf-8").replace(before, sha256(path)), "utf-8")


def tear_sums(release: Release) -> None:
    """Leave half of SHA256SUMS."""
    _halve(release.store.dist / SUMS)


def garble_sums(release: Release) -> None:
    """Make SHA256SUMS something that is not UTF-8."""
    (release.store.dist / SUMS).write_bytes(b"\xff\xfe\x00garbage\x80\n")


def tear_bundle(release: Release) -> None:
    """Leave half of the bundle of the release commit."""
    _halve(release.store.bundle)


def lose_worktree(release: Release) -> None:
    """Delete the working tree of the release commit, without a word to git."""
    shutil.rmtree(release.store.worktree)


def block_state(release: Release) -> None:
    """Put a file where the directory of the version is."""
    path = release.store.path
    path.rename(path.with_name(f"{path.name}.away"))
    path.write_text("in the way\n", "utf-8")


def hold_lock(release: Release) -> None:
    """Hold the lock, as another run does."""
    _HELD.enter_context(release.store.locked())


def fill_disk(release: Release) -> None:
    """Leave no room under the state directory for the rest of this run."""
    _refuse_writes(release.store.path, errno.ENOSPC)


def take_permission(release: Release) -> None:
    """Let nothing be written under the state directory for the rest of this run."""
    _refuse_writes(release.store.path, errno.EACCES)


def forbid_programs(_release: Release) -> None:
    """Let no other program be started for the rest of this run, as at the limit of processes."""

    def refuse(event: str, _arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    sys.addaudithook(refuse)


def _refuse_writes(below: Path, number: int) -> None:
    root = f"{below}{os.sep}"

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            writes = bool(flags & _WRITES)
        elif event in ("os.mkdir", "os.rename"):
            path, writes = arguments[0], True
        else:
            return
        if writes and isinstance(path, str | os.PathLike) and os.fspath(path).startswith(root):
            raise OSError(number, os.strerror(number), os.fspath(path))

    # The one way to have every `open` of a process fail, in whichever library; it stays until the process ends.
    sys.addaudithook(refuse)


def _receipts(release: Release) -> Iterable[Path]:
    return sorted((release.store.path / "receipts").glob("*/*.json"))


def _built(release: Release, end: str) -> Path:
    dists = read_dists(release.store.dist)
    assert dists is not None
    (path,) = (dists.directory / name for name in dists.sha256 if name.endswith(end))
    return path


def _halve(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


MISHAPS: dict[str, Callable[[Release], None]] = {
    "torn-journal": tear_journal,
    "cut-journal": cut_journal,
    "altered-journal": alter_journal,
    "lost-journal": lose_journal,
    "torn-journal-head": tear_journal_head,
    "torn-receipts": tear_receipts,
    "renamed-receipts": rename_receipts,
    "torn-wheel": tear_wheel,
    "altered-wheel": alter_wheel,
    "altered-sdist": alter_sdist,
    "forged-sdist": forge_sdist,
    "torn-sums": tear_sums,
    "garbled-sums": garble_sums,
    "torn-bundle": tear_bundle,
    "lost-worktree": lose_worktree,
    "state-is-a-file": block_state,
    "lock-held": hold_lock,
    "disk-full": fill_disk,
    "no-permission": take_permission,
    "no-processes": forbid_programs,
}
