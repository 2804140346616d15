"""The record of what was done: JSON lines, each holding the hash of the line before it.

What was built, and what passed with it, is compared with the record by every later step. Everything else in it is for
people: a run asks git and the services.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from releaser.core.chain import START, Chain, digest, head_of, read_chain
from releaser.core.files import naming, sync_directory
from releaser.secret import Redactor


@dataclass
class Journal:
    """Append events to a file, safely from several threads; each line is on disk before the call returns.

    A last line torn by a kill is dropped. A file whose chain is broken elsewhere is kept under another name, and a new
    one begins with a line about it: whether a run may go on then is decided before it is opened.

    Attributes:
        path: The file.
        redact: Hides secrets.
        set_aside: Where an altered file was kept, if this one was.
    """

    path: Path
    redact: Redactor
    set_aside: Path | None = field(default=None, init=False)
    _previous: str = field(default=START, init=False)
    _lines: int = field(default=0, init=False)
    _size: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        chain = read_chain(self.path)
        if chain.problem:
            name = f"{self.path.stem}.altered-{datetime.now(timezone.utc):%Y%m%dT%H%M%S%f}.jsonl"
            self.set_aside = self.path.with_name(name)
            if self.path.exists():
                self.path.rename(self.set_aside)
            head_of(self.path).unlink(missing_ok=True)
            self.write("altered", file=name, line=chain.line, problem=chain.problem)
            return
        self._follow(chain)
        if chain.torn:
            os.truncate(self.path, chain.size - chain.torn)
            self._size -= chain.torn
            self.write("torn", dropped=chain.torn)

    def write(self, event: str, **facts: Any) -> None:
        """Append one event with its facts, secrets redacted."""
        with self._lock:
            if self.path.exists() and self.path.stat().st_size != self._size:
                self._follow(read_chain(self.path))  # another part of this run has written to it
            entry = {"at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"), "event": event, **facts}
            line = json.dumps({**_redacted(entry, self.redact), "previous": self._previous}, ensure_ascii=False)
            # A file name or an argument need not be UTF-8; other bytes are written as JSON's own escapes.
            content = line.encode("utf-8", "backslashreplace")
            with naming(self.path):
                self._size = _append(self.path, content + b"\n")
            self._previous = digest(content)
            self._lines += 1
            # In place and of one length, so that it takes no room. A head that is behind says less, and nothing wrong.
            with suppress(OSError):
                _overwrite(head_of(self.path), f"{self._lines:010} {self._previous}\n".encode())

    def _follow(self, chain: Chain) -> None:
        self._previous, self._lines, self._size = chain.last, chain.lines, chain.size


def _append(path: Path, content: bytes) -> int:
    """Append all of it or, when the disk is full, nothing; return the file's size."""
    is_new = not path.exists()
    with path.open("ab", buffering=0) as file:
        end = file.tell()
        size = end + len(content)
        try:
            while content:
                content = content[file.write(content) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(end)
            raise
    if is_new:
        sync_directory(path.parent)
    return size


def _overwrite(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        os.pwrite(handle, content, 0)
    finally:
        os.close(handle)


def _redacted(value: Any, redact: Redactor) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, redact) for item in value]
    return value
