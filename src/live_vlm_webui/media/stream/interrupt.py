"""Interrupt waits within FFmpeg.

While FFmpeg waits for a host, it asks PyAV ten times a second whether the timeout has passed, and PyAV asks the
``time`` of its module ``av.container.core`` (PyAV 17 and 18). There is no public way to interrupt it. So that module
gets a clock that jumps ahead in threads whose event is set, and is unchanged in others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from av.container import core

LEAP_SECONDS = 1e6


class StoppableTime(threading.local):
    """Stands in for the module ``time``; only ``monotonic`` differs, in threads that were told to stop.

    Attributes:
        stop: The stop event of the current thread.
    """

    stop: threading.Event | None = None
    _ahead = 0.0

    def monotonic(self) -> float:
        """Return ``time.monotonic()``; once ``stop`` is set, a time after any timeout that began before."""
        if self.stop is not None and self.stop.is_set():
            self._ahead += LEAP_SECONDS
        return time.monotonic() + self._ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@contextmanager
def interrupted_by(stop: threading.Event) -> Iterator[None]:
    """Within this block, waits of this thread within FFmpeg time out once ``stop`` is set."""
    clock = _clock_of(core)
    clock.stop = stop
    try:
        yield
    finally:
        clock.stop = None  # it stays ahead: a monotonic clock must not go back


def _clock_of(core: ModuleType) -> StoppableTime:
    clock = getattr(core, "time", None)
    if not isinstance(clock, StoppableTime):
        clock = StoppableTime()
        core.time = clock  # type: ignore[attr-defined]
    return clock
