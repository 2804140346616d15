"""A timeout for a block of awaits, like ``asyncio.timeout``, which Python 3.10 does not have."""

from __future__ import annotations

import asyncio
from types import TracebackType


class DeadlineError(TimeoutError):
    """A deadline has passed."""


class Deadline:
    """``with Deadline(seconds): await ...`` raises ``DeadlineError`` from the block if it takes longer.

    Enter and leave it in the same task; a cancellation of that task from outside remains a cancellation.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._expired = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = self._cancellations()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, self._seconds), self._expire)

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if not self._expired:
            return
        uncancel = getattr(self._task, "uncancel", None)  # since Python 3.11
        cancelled_by_others = uncancel is not None and uncancel() > self._cancelling
        if kind is asyncio.CancelledError and not cancelled_by_others:
            raise DeadlineError

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()

    def _cancellations(self) -> int:
        cancelling = getattr(self._task, "cancelling", None)  # since Python 3.11
        return 0 if cancelling is None else int(cancelling())
