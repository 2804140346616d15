"""The record of what was done: JSON lines, each holding the hash of the line before it.

The journal is a record, never an input: a run asks git and the services. The chain makes a later edit visible.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from releaser.files import sync_directory
from releaser.secret import Redactor

_START = "0" * 64


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def broken_at(lines: list[str]) -> int | None:
    """Return the number (from 1) of the first line without the hash of the one before; None for a whole chain."""
    previous = _START
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except ValueError:
            return number
        if not isinstance(entry, dict) or entry.get("previous") != previous:
            return number
        previous = _digest(line.encode())
    return None


@dataclass
class Journal:
    """Append events to a file, safely from several threads; each line is on disk before the call returns.

    A last line torn by a kill is dropped. A file whose chain is broken elsewhere is kept under another name, and a new
    one begins with a line about it.
    """

    path: Path
    redact: Redactor
    _previous: str = field(default=_START, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole, end, torn = content.rpartition(b"\n")
        lines = whole.decode("utf-8", "replace").split("\n") if end else []
        if broken := broken_at(lines):
            kept = self.path.with_name(f"{self.path.stem}.altered-{datetime.now(timezone.utc):%Y%m%dT%H%M%S%f}.jsonl")
            self.path.rename(kept)
            self.write("altered", file=kept.name, line=broken)
            return
        self._previous = _digest(lines[-1].encode()) if lines else _START
        if torn:
            os.truncate(self.path, len(content) - len(torn))
            self.write("torn", dropped=len(torn))

    def write(self, event: str, **facts: Any) -> None:
        """Append one event with its facts, secrets redacted."""
        with self._lock:
            entry = {"at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"), "event": event, **facts}
            line = json.dumps({**_redacted(entry, self.redact), "previous": self._previous}, ensure_ascii=False)
            # A file name or an argument need not be UTF-8; other bytes are written as JSON's own escapes.
            content = line.encode("utf-8", "backslashreplace")
            _append(self.path, content + b"\n")
            self._previous = _digest(content)


def _append(path: Path, content: bytes) -> None:
    """Append all of it or, when the disk is full, nothing."""
    is_new = not path.exists()
    with path.open("ab", buffering=0) as file:
        end = file.tell()
        try:
            while content:
                content = content[file.write(content) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise
    if is_new:
        sync_directory(path.parent)


def _redacted(value: Any, redact: Redactor) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, redact) for item in value]
    return value
