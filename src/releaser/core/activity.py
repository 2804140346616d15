"""What code inside a step may report and must obey: progress, cancellation and the clock.

The runner binds one `Activity` to the context of each step it executes; adapters reach it through `current`, so that
a program's output or a wait's countdown shows under the right step without being handed down through every call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from releaser.errors import InterruptedRunError


class Tell(Protocol):
    """Reports progress."""

    def __call__(self, text: str, done: int | None = None, total: int | None = None, /) -> None:
        """Show `text` as the step's latest line; a step that counts what it does gives `done` of `total` too."""


def _say_nothing(_text: str, _done: int | None = None, _total: int | None = None) -> None:
    """Drop progress outside of a step, where it has no line on the display."""


class Clock:
    """The clock that waits and their limits go by; a test moves one by hand instead of sleeping."""

    def now(self) -> float:
        """Return the seconds since a fixed moment in the past."""
        return time.monotonic()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait for `seconds`, or until `stop` is set; return whether it is set."""
        return stop.wait(seconds)


@dataclass(frozen=True)
class Activity:
    """The progress channel, the stop signal and the clock of one running step."""

    tell: Tell = _say_nothing
    cancelled: threading.Event = field(default_factory=threading.Event)
    clock: Clock = field(default_factory=Clock)

    def sleep(self, seconds: float) -> None:
        """Wait, but not a moment longer than until the run is cancelled.

        Raises:
            InterruptedRunError: The run was cancelled.
        """
        if self.clock.wait(self.cancelled, seconds):
            raise InterruptedRunError("stopped while waiting")


_current: ContextVar[Activity] = ContextVar("activity")


def current() -> Activity:
    """Return the activity of the step that runs in this context; outside of steps a silent one."""
    return _current.get(Activity())


@contextmanager
def bound(activity: Activity) -> Iterator[None]:
    """Bind `activity` to the current context for the length of the block."""
    token = _current.set(activity)
    try:
        yield
    finally:
        _current.reset(token)
