"""How a row's fault comes about where it is not in the engine's own process, and how often it struck."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import psutil
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from harness import stand_ins

from releaser.rehearsal import remote

_LOOK_SECONDS = 0.02
_PATIENCE = 30


class Layer(stand_ins.Layer, Protocol):
    """What is put before a service's answers, and counts how often it changed one."""

    struck: int


@dataclass
class Late:
    """Counts the answers in which an index keeps back a file that it has, because it shows late what it took.

    Attributes:
        index: The index's directory.
        by: How late it shows a file.
        struck: How often it kept one back.
    """

    index: Path
    by: timedelta
    struck: int = 0

    @property
    def middleware(self) -> Middleware:
        """Return what the index calls first."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                answer = await handler(request)
            except web.HTTPException as raised:
                answer = raised
            if request.method == "GET" and request.path.startswith(("/simple/", "/pypi/")):
                shown = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
                self.struck += any(name.encode() not in shown for name in self._held())
            return answer

        return count

    def _held(self) -> list[str]:
        document = self.index / "index.json"
        projects = json.loads(document.read_bytes())["projects"] if document.exists() else {}
        releases = [one for project in projects.values() for one in project["releases"].values()]
        return [name for release in releases for name in release["files"]]


@dataclass
class Pushes:
    """A git remote at which pushes go wrong, until it is as it was again.

    Attributes:
        origin: The bare repository.
        faults: What goes wrong, as `--fault remote:` takes it.
        act: What is done while a push is held.
    """

    origin: Path
    faults: Mapping[str, str]
    act: Callable[[], None]
    _hooks: dict[Path, bytes] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Pushes:
        self._hooks = {path: path.read_bytes() for path in (self.origin / "hooks").iterdir()}
        remote.guard(self.origin, dict(self.faults))
        self._watch = threading.Thread(target=self._act_on_hold)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()
        self._wait_for_the_last()
        for path, content in self._hooks.items():
            path.write_bytes(content)

    @property
    def struck(self) -> int:
        """Whether it went wrong."""
        return int(any((self.origin / name).exists() for name in ("holding", "struck")))

    def _act_on_hold(self) -> None:
        while not self._ended.is_set() and not self._holder():
            self._ended.wait(_LOOK_SECONDS)
        if not self._ended.is_set():
            self.act()

    def _holder(self) -> int:
        with suppress(FileNotFoundError, ValueError):
            return int((self.origin / "holding").read_text("ascii"))
        return 0

    def _wait_for_the_last(self) -> None:
        # A push whose sender was stopped may arrive all the same: only then is it known what the remote has.
        holder, begun = self._holder(), time.monotonic()
        while holder and psutil.pid_exists(holder) and time.monotonic() - begun < _PATIENCE:
            time.sleep(_LOOK_SECONDS)
