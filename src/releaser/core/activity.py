"""What code inside a step may say, and what it must obey: progress and cancellation.

The runner binds one `Activity` to the context of each step it executes; adapters reach it through `current`, so that
a program's output or a wait's countdown shows under the right step without being handed down through every call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from releaser.errors import InterruptedRunError


def _say_nothing(_text: str) -> None:
    """Outside a step there is nobody to tell."""


@dataclass(frozen=True)
class Activity:
    """The progress channel and the stop signal of one running step."""

    tell: Callable[[str], None] = _say_nothing
    cancelled: threading.Event = field(default_factory=threading.Event)

    def sleep(self, seconds: float) -> None:
        """Waits, but not a moment longer than until the run is cancelled.

        Raises:
            InterruptedRunError: The run was cancelled.
        """
        if self.cancelled.wait(seconds):
            raise InterruptedRunError("stopped while waiting")


_current: ContextVar[Activity] = ContextVar("activity")


def current() -> Activity:
    """The activity of the step that runs in this context; a silent one outside steps."""
    return _current.get(Activity())


@contextmanager
def bound(activity: Activity) -> Iterator[None]:
    """Binds `activity` to the current context for the length of the block."""
    token = _current.set(activity)
    try:
        yield
    finally:
        _current.reset(token)
