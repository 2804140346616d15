"""Questions to services, asked side by side; each keeps its answer or the error that it got instead."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Generic, TypeVar

from releaser.adapters.clients import import_clients
from releaser.core import asking
from releaser.errors import InterruptedRunError, ReleaserError, ServiceError
from releaser.inspection.findings import Findings

_Answer = TypeVar("_Answer")


@dataclass
class Question(Generic[_Answer]):
    """One question.

    Attributes:
        what: What is asked for, for the error where nothing comes.
        put: Asks.
        answer: The answer.
        error: What came instead.
        seconds: How long that took.
        at: When it came.
    """

    what: str
    put: Callable[[], _Answer]
    answer: _Answer | None = None
    error: ReleaserError | None = None
    seconds: float = 0.0
    at: datetime | None = None

    def ask(self) -> Question[_Answer]:
        """Ask, and keep what comes."""
        begun = time.monotonic()
        try:
            self.answer = self.put()
        except InterruptedRunError:
            raise
        except ReleaserError as error:
            self.error = error
        self.seconds, self.at = time.monotonic() - begun, datetime.now(timezone.utc)
        return self

    def answered(self, notes: Findings, name: str) -> bool:
        """Return whether there is an answer; note the error where there is none."""
        if self.error:
            notes.not_asked(name, self.error)
        return self.error is None


def ask(questions: Sequence[Question[Any]], within: float | None = None) -> None:
    """Ask all at once, and be done within that many seconds, or `LIMIT_S`; see `side_by_side`."""
    import_clients()
    within = asking.LIMIT_S if within is None else within
    found = asking.side_by_side([one.ask for one in questions], within)
    for question, ended in zip(questions, found, strict=True):
        if ended is None:
            question.error = ServiceError(
                f"There was no answer within {within:.0f} s: {question.what}",
                "Check the network, then rerun the command.",
            )
