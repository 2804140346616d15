"""What a journal holds, and whether it is all that was written, as it was written.

Each line holds the hash of the line before it, so a change is seen in the line after it. The journal's head, a file of
its own, holds the number of lines and the hash of the last: without it, lines that are missing at the end, or a journal
that is gone, would not be noticed. Neither proves anything against a person who rewrites both.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from releaser.core.counting import count_of

START = "0" * 64
"""What the first line holds in the place of a hash."""
_HEAD = re.compile(r"(\d{10}) ([0-9a-f]{64})\n")


def digest(line: bytes) -> str:
    """Return the hash of a line, as the next one holds it."""
    return hashlib.sha256(line).hexdigest()


@dataclass(frozen=True)
class Chain:
    """The events of a journal, up to the first line that does not belong there.

    Attributes:
        path: The journal.
        entries: The events, oldest first.
        problem: What is wrong with it, as it follows "the journal"; None if nothing is.
        line: The number of the line that the problem is at.
        last: The hash of the last line.
        lines: How many whole lines there are.
        torn: How many bytes of a last line a kill left.
        size: The file's size in bytes.
    """

    path: Path
    entries: tuple[dict[str, Any], ...] = ()
    problem: str | None = None
    line: int = 0
    last: str = START
    lines: int = 0
    torn: int = 0
    size: int = 0

    def newest(self, event: str, **facts: object) -> dict[str, Any] | None:
        """Return the newest event of this kind with these facts; None if there is none."""
        wanted = {"event": event, **facts}.items()
        fitting = (one for one in reversed(self.entries) if all(one.get(name) == fact for name, fact in wanted))
        return next(fitting, None)


def head_of(path: Path) -> Path:
    """Return the path of a journal's head."""
    return path.with_suffix(".head")


def read_chain(path: Path) -> Chain:
    """Return what a journal holds; an empty chain if there is none and never was.

    Raises:
        OSError: It is there and cannot be read.
    """
    stats = tuple(_stat(one) for one in (path, head_of(path)))
    return _read(path, stats)


@lru_cache(maxsize=4)
def _read(path: Path, stats: tuple[tuple[int, ...] | None, ...]) -> Chain:
    content = path.read_bytes() if stats[0] else b""
    whole, end, torn = content.rpartition(b"\n")
    lines = whole.decode("utf-8", "replace").split("\n") if end else []
    entries, broken = _followed(lines)
    head = _head(head_of(path))
    problem, line = None, 0
    if broken:
        problem, line = f"was altered: line {broken} does not hold the hash of the line before it", broken
    elif head and head[0] > len(lines):
        gone = "is gone" if stats[0] is None else f"was cut: it has {count_of(len(lines), 'line')}"
        problem, line = f"{gone}, and had {head[0]}", len(lines) + 1
    elif head and head[0] and digest(lines[head[0] - 1].encode()) != head[1]:
        problem, line = f"was altered: line {head[0]} is not the one that was written", head[0]
    last = digest(lines[-1].encode()) if lines else START
    return Chain(path, tuple(entries), problem, line, last, len(lines), len(torn), len(content))


def _followed(lines: Sequence[str]) -> tuple[list[dict[str, Any]], int | None]:
    """Return the events, and the number (from 1) of the first line without the hash of the one before."""
    previous = START
    entries: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return entries, number
        if not isinstance(entry, dict) or entry.get("previous") != previous:
            return entries, number
        entries.append(entry)
        previous = digest(line.encode())
    return entries, None


def _head(path: Path) -> tuple[int, str] | None:
    """Return the number of lines and the last one's hash; None where a power failure left nothing, or half of it."""
    try:
        found = _HEAD.fullmatch(path.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return (int(found[1]), found[2]) if found else None


def _stat(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
