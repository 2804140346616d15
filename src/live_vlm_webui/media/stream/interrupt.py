"""Ends waits within FFmpeg when they are told to end.

While FFmpeg waits for a host it asks PyAV ten times a second whether the time-out is over, and PyAV asks ``time``, as
its module ``av.container.core`` knows it (17 and 18). There is no public way to say "now". So that module is given a
clock which, in a thread whose event is set, races; elsewhere it is the same as ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

LEAP_SECONDS = 1e6


class StoppableTime(threading.local):
    """The module ``time`` to those who look: apart from ``monotonic`` in threads that were told to stop.

    Attributes:
        stop: Of the thread that looks.
    """

    stop: threading.Event | None = None
    _ahead = 0.0

    def monotonic(self) -> float:
        """``time.monotonic()``; once ``stop`` is set, later than any time-out that began with the last call."""
        if self.stop is not None and self.stop.is_set():
            self._ahead += LEAP_SECONDS
        return time.monotonic() + self._ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@contextmanager
def interrupted_by(stop: threading.Event) -> Iterator[None]:
    """While this lasts, waits of this thread within FFmpeg end as timed out once ``stop`` is set."""
    import av.container.core as core

    clock = _clock_of(core)
    clock.stop = stop
    try:
        yield
    finally:
        clock.stop = None  # what it is ahead stays: a clock must not go back


def _clock_of(core: ModuleType) -> StoppableTime:
    clock = getattr(core, "time", None)
    if not isinstance(clock, StoppableTime):
        clock = StoppableTime()
        core.time = clock  # type: ignore[attr-defined]
    return clock
