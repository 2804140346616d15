"""What can go wrong on purpose at the rehearsal's index, one name each.

A fault that ends in ``-once`` leaves a marker in ``DIR/faults`` before it strikes: the same command run again, even
against a restarted index, meets a healthy index. ``upload-hold`` and ``upload-hold-stored`` create ``DIR/holding``
while they hold.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentTypeError
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from releaser.rehearsal.index.distribution import RefusedError

# Which faults there are; True: it needs a number.
FAULTS = {
    "delay": True,  # seconds before every answer
    "simple-status-once": True,  # the simple API answers once with this status
    "upload-drop-answer-once": False,  # the file is stored, the connection closed before the answer
    "upload-drop-once": False,  # the connection is reset in the middle of the request's body
    "upload-hold": True,  # seconds between having the body and storing the file
    "upload-hold-stored": True,  # seconds between storing the file and the answer
    "upload-status": True,  # every upload is answered with this status
    "upload-status-once": True,  # one upload is
}


def parse_fault(text: str) -> tuple[str, float]:
    """``NAME`` or ``NAME=NUMBER`` as argparse wants it: the name and its number, 0 if it takes none."""
    name, equals, value = text.partition("=")
    if name not in FAULTS:
        raise ArgumentTypeError(f"there is no fault {name!r}; there are: {', '.join(FAULTS)}")
    if FAULTS[name] != bool(equals):
        raise ArgumentTypeError(f"fault {name!r} " + ("needs =NUMBER" if FAULTS[name] else "takes no value"))
    try:
        return name, float(value or 0)
    except ValueError as error:
        raise ArgumentTypeError(f"fault {name!r} needs a number, not {value!r}") from error


class IndexFaults:
    """The faults of one run.

    Args:
        given: Numbers by fault name.
        root: The index's directory.
    """

    def __init__(self, given: Mapping[str, float], root: Path) -> None:
        self._given = given
        self._struck = root / "faults"
        self._holding = root / "holding"
        self._holding.unlink(missing_ok=True)

    def strikes(self, name: str) -> bool:
        """Return whether this fault is to happen now; for one that happens once, only the first time."""
        if name not in self._given:
            return False
        if not name.endswith("-once"):
            return True
        self._struck.mkdir(exist_ok=True)
        try:
            (self._struck / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def fail(self, *names: str) -> None:
        """Answer with a fault's status if one of these strikes."""
        for name in names:
            if self.strikes(name):
                raise RefusedError("Rehearsed fault", int(self._given[name]))

    async def delay(self) -> None:
        """Wait as long as every answer is to be late."""
        await asyncio.sleep(self._given.get("delay", 0))

    async def hold(self, name: str) -> None:
        """Wait, and show it, so that a test can kill something meanwhile."""
        if self.strikes(name):
            self._holding.touch()
            await asyncio.sleep(self._given[name])
            self._holding.unlink(missing_ok=True)


def cut(request: web.Request) -> web.Response:
    """Close the connection at once, whatever is under way; the answer returned goes nowhere."""
    if request.transport:
        request.transport.abort()
    return web.Response()
