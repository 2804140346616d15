"""Ask several services side by side, and be done in time whether or not they answer.

Each question has a thread of its own, which nothing waits for at the end: the look-up of a host's name obeys no time
limit and no signal.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from releaser.core.activity import Activity, Answers, bound
from releaser.errors import InterruptedRunError

LIMIT_S = 14.0
"""How long services may take to answer a command that only looks."""
_GRACE_S = 3.0
_POLL_S = 0.2
_Answer = TypeVar("_Answer")


@dataclass
class _Asked(Generic[_Answer]):
    """One question: what was answered, or what was raised instead."""

    ask: Callable[[], _Answer]
    answer: _Answer | None = None
    error: BaseException | None = None

    def run(self, activity: Activity) -> None:
        """Ask."""
        with bound(activity):
            try:
                self.answer = self.ask()
            except BaseException as error:  # noqa: BLE001  it is raised again in the thread that asked
                self.error = error


def side_by_side(asks: Sequence[Callable[[], _Answer]], within: float) -> list[_Answer | None]:
    """Ask all at once; return the answers in order, None for those that did not come in time.

    Args:
        asks: The questions, none of which answers with None.
        within: Seconds until services are given up, which ends a question with their error. A question that does not
            end even then is left behind.

    Raises:
        BaseException: What a question raised; a question answers with its errors if they are to be kept apart.
    """
    activity = Activity(answers=Answers(), deadline=time.monotonic() + within)
    asked = [_Asked(ask) for ask in asks]
    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(one.run, activity), daemon=True) for one in asked
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and time.monotonic() < activity.deadline + _GRACE_S:
                thread.join(_POLL_S)
    finally:
        activity.cancelled.set()  # ends the programs of those that are left behind
    for one in asked:
        if one.error and not isinstance(one.error, InterruptedRunError):
            raise one.error
    return [one.answer for one in asked]
