"""What can go wrong on purpose at the rehearsal's GitHub, one name each.

A fault that ends in ``-once`` leaves a marker in ``DIR/faults`` before it strikes: the same command run again, even
against a restarted stand-in, meets a healthy stand-in.
"""

from __future__ import annotations

import asyncio
import hashlib
from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

# Which faults there are, and the value that each needs.
FAULTS = {
    "asset-drop-answer-once": "",  # the asset is stored, the connection closed before the answer
    "asset-drop-once": "",  # the connection is reset in the middle of an upload; GitHub is left with a "starter" asset
    "delay": "SECONDS",  # before every answer
    "publish-hold": "SECONDS",  # between the wish to publish and its fulfilment; DIR/holding is there meanwhile
    "status-once": "STATUS:PATHPART",  # the first request whose path contains this is answered so, and does nothing
    "unauthorized": "",  # every request is answered as if its token were wrong
}


def parse_fault(text: str) -> tuple[str, str]:
    """``NAME`` or ``NAME=VALUE`` as argparse wants it: the name and its value, "" if it takes none."""
    name, equals, value = text.partition("=")
    if name not in FAULTS:
        raise ArgumentTypeError(f"there is no fault {name!r}; there are: {', '.join(FAULTS)}")
    if bool(FAULTS[name]) != bool(equals):
        wanted = f"needs ={FAULTS[name]}" if FAULTS[name] else "takes no value"
        raise ArgumentTypeError(f"fault {name!r} {wanted}")
    number = value.partition(":")[0]
    if equals and not number.replace(".", "", 1).isdigit():
        raise ArgumentTypeError(f"fault {name!r} needs {FAULTS[name]}, not {value!r}")
    return name, value


class ForgeFaults:
    """The faults of one run.

    Args:
        given: Names and values; ``status-once`` may be there several times.
        world: The stand-in's directory.
    """

    def __init__(self, given: Sequence[tuple[str, str]], world: Path) -> None:
        self._given = list(given)
        self._struck = world / "faults"
        self._holding = world / "holding"
        self._holding.unlink(missing_ok=True)

    def strikes(self, name: str) -> bool:
        """Return whether this fault is to happen now; for one that happens once, only the first time."""
        return any(given == name and (not name.endswith("-once") or self._first(name)) for given, _ in self._given)

    def status(self, path: str) -> int | None:
        """Return the status with which this request is to be answered instead."""
        for name, value in self._given:
            status, _, part = value.partition(":")
            if name == "status-once" and part in path and self._first(f"{name}-{_short(value)}"):
                return int(status)
        return None

    async def delay(self) -> None:
        """Wait as long as every answer is to be late."""
        await asyncio.sleep(self._seconds("delay"))

    async def hold_publishing(self) -> None:
        """Wait, and show it, so that a test can kill something meanwhile."""
        if seconds := self._seconds("publish-hold"):
            self._holding.touch()
            await asyncio.sleep(seconds)
            self._holding.unlink(missing_ok=True)

    def _seconds(self, name: str) -> float:
        return sum(float(value) for given, value in self._given if given == name)

    def _first(self, marker: str) -> bool:
        self._struck.mkdir(exist_ok=True)
        try:
            (self._struck / marker).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def cut(request: web.Request, status: int) -> web.Response:
    """Close the connection at once; the answer, of this status, goes nowhere but into the log of mutations."""
    if request.transport:
        request.transport.abort()
    return web.Response(status=status)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
