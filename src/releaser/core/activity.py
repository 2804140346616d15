"""What code inside a step may report and must obey: progress, cancellation and the clock.

The runner binds one `Activity` to the context of each step it executes; adapters reach it through `current`, so that
a program's output or a wait's countdown shows under the right step without being handed down through every call.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, cast

from releaser.errors import InterruptedRunError, ReleaserError

_Answer = TypeVar("_Answer")
_POLL_S = 0.1
_SHORTEST_S = 0.05  # a time limit of 0 is an error to requests


class Tell(Protocol):
    """Reports progress."""

    def __call__(self, text: str, done: int | None = None, total: int | None = None, /) -> None:
        """Show `text` as the step's latest line; a step that counts what it does gives `done` of `total` too."""


class Note(Protocol):
    """Reports what happened."""

    def __call__(self, text: str, /) -> None:
        """Show `text` as a line that stays, and keep it in the record."""


def _note_nothing(_text: str) -> None:
    """Drop what happened outside of a step."""


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


class Answers:
    """What was answered in one survey, or in one phase: a service that minds being asked is asked once, and alone.

    Behind a git remote there may be a security key that wants a touch for each connection.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, object] = {}
        self._turn = threading.RLock()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other step talks to such a service.

        Raises:
            InterruptedRunError: The run was cancelled.
        """
        while not self._turn.acquire(timeout=_POLL_S):
            if current().cancelled.is_set():
                raise InterruptedRunError("stopped while waiting for another step")
        try:
            yield
        finally:
            self._turn.release()

    def once(self, key: Hashable, ask: Callable[[], _Answer]) -> _Answer:
        """Return the answer to a question; ask only if it was not asked before. A refusal is an answer too.

        Raises:
            ReleaserError: What `ask` raised, now or before.
        """
        with self.alone():
            if key not in self._known:
                try:
                    self._known[key] = ask()
                except InterruptedRunError:
                    raise
                except ReleaserError as error:
                    self._known[key] = error
            found = self._known[key]
        if isinstance(found, ReleaserError):
            raise found
        return cast("_Answer", found)

    def forget(self) -> None:
        """Forget everything: something was changed."""
        self._known.clear()


@dataclass(frozen=True)
class Activity:
    """The progress channel, the stop signal and the clock of one running step, and what was answered before.

    Attributes:
        tell: Reports progress.
        cancelled: The stop signal.
        clock: What waits go by.
        answers: What was answered before.
        deadline: Until when services may answer, in seconds of `time.monotonic`; local programs may take longer.
        note: Reports what happened elsewhere while the step waited, such as a job that ended.
    """

    tell: Tell = _say_nothing
    cancelled: threading.Event = field(default_factory=threading.Event)
    clock: Clock = field(default_factory=Clock)
    answers: Answers = field(default_factory=Answers)
    deadline: float = math.inf
    note: Note = _note_nothing

    def at_most(self, seconds: float) -> float:
        """Return how long a service may take: so many seconds, but no longer than until the deadline."""
        return min(seconds, max(_SHORTEST_S, self.deadline - time.monotonic()))

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
