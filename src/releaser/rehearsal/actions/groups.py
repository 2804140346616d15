"""Concurrency groups: one runs, one waits, and who comes later takes the place of the one that waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


class ReplacedError(Exception):
    """One that waited gave way to a later one of its group."""


@dataclass
class _Place:
    stop: Callable[[], None]
    turn: asyncio.Event = field(default_factory=asyncio.Event)
    replaced: bool = False


class Groups:
    """The groups of a repository; runs and jobs share them."""

    def __init__(self) -> None:
        self._running: dict[str, _Place] = {}
        self._waiting: dict[str, _Place] = {}

    def is_taken(self, group: str | None) -> bool:
        """Return whether another one has the turn."""
        return group is not None and group.casefold() in self._running

    @asynccontextmanager
    async def turn(
        self, group: str | None, stop: Callable[[], None], leaves: list[Callable[[], None]], *, cancels: bool = False
    ) -> AsyncIterator[None]:
        """Wait until nothing else of the group runs, and have it until the end.

        Args:
            group: The group; None has no others.
            stop: Cancels what has the turn.
            leaves: Takes what ends the waiting, for one that is cancelled before its turn.
            cancels: Whether to cancel what runs.

        Raises:
            ReplacedError: A later one took the place, or it was given up.
        """
        if group is None:
            yield
            return
        name, place = group.casefold(), _Place(stop)
        if name in self._running:
            if earlier := self._waiting.pop(name, None):
                earlier.replaced = True
                earlier.turn.set()
            self._waiting[name] = place
            leaves.append(lambda: self._leave(name, place))
            if cancels:
                self._running[name].stop()
            try:
                await place.turn.wait()
            finally:
                if self._waiting.get(name) is place:
                    del self._waiting[name]
            if place.replaced:
                raise ReplacedError
        self._running[name] = place
        try:
            yield
        finally:
            del self._running[name]
            if following := self._waiting.pop(name, None):
                self._running[name] = following
                following.turn.set()

    def _leave(self, name: str, place: _Place) -> None:
        if self._waiting.get(name) is place:
            del self._waiting[name]
            place.replaced = True
            place.turn.set()
