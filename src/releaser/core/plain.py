"""Show a run as plain lines, for logs and pipes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TextIO

from releaser.core.step import Conflict, Done, Failed, Outcome, Skipped, Stays, Todo, Warned, first_line

MARKS: dict[type[Outcome], str] = {
    Done: "done",
    Todo: "to do",
    Skipped: "skipped",
    Warned: "WARNING",
    Stays: "STAYS",
    Conflict: "CONFLICT",
    Failed: "FAILED",
}

_PROGRESS_EVERY_S = 10.0


def print_phase(name: str, title: str, rows: Iterable[tuple[str, Outcome, str]]) -> None:
    """Print a phase and the outcome of each of its steps, one line a step.

    Args:
        name: The phase's name.
        title: The phase's title.
        rows: A step's name, its outcome, and what to show of it.
    """
    print(f"{name}  {title}")
    for step, outcome, says in rows:
        print(f"  {MARKS[type(outcome)]:<8}  {step:<18}  {says}")


class PlainDisplay(AbstractContextManager["PlainDisplay"]):
    """One line an event."""

    def __init__(self, redact: Callable[[str], str], out: TextIO | None = None) -> None:
        self._redact = redact
        self._out = out or sys.stdout
        self._begun = time.monotonic()
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def phase(self, name: str, title: str) -> None:
        """Print a heading."""
        self._line(f"== {name}: {title}")

    def started(self, step: str, title: str) -> None:
        """Print the step's title."""
        self._last[step] = time.monotonic()
        self._line(f"   {step}: {title} ...")

    def progress(self, step: str, text: str, _done: int | None = None, _total: int | None = None) -> None:
        """Print at most one line in ten seconds a step, so that a log stays readable."""
        if time.monotonic() - self._last.get(step, 0.0) >= _PROGRESS_EVERY_S:
            self._last[step] = time.monotonic()
            self._line(f"   {step}: {text}")

    def noted(self, step: str, text: str) -> None:
        """Print it at once; the next progress may follow at once too, as it tells of something else."""
        self._last.pop(step, None)
        self._line(f"   {step}: {text}")

    def finished(self, step: str, _title: str, outcome: Outcome, seconds: float) -> None:
        """Print the outcome, and the first line of its evidence or reason."""
        took = f" ({seconds:.1f} s)" if seconds >= 0.1 else ""
        self._line(f"   {step}: {MARKS[type(outcome)]}{took}: {first_line(outcome)}")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do nothing: lines do not disturb a question."""
        yield

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: lines leave nothing to restore."""

    def _line(self, text: str) -> None:
        with self._lock:
            print(f"[{time.monotonic() - self._begun:6.1f} s] {self._redact(text)}", file=self._out, flush=True)
