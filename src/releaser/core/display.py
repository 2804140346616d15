"""Showing a run: a live display on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, TextIO

from releaser.core.step import Conflict, Done, Failed, Outcome, Skipped, Todo, first_line
from releaser.secret import Redactor

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console, RenderableType

MARKS: dict[type, tuple[str, str]] = {
    Done: ("done", "green"),
    Todo: ("to do", "cyan"),
    Skipped: ("skipped", "yellow"),
    Conflict: ("CONFLICT", "bold red"),
    Failed: ("FAILED", "bold red"),
}
_PROGRESS_EVERY_S = 10.0


def print_phase(name: str, title: str, rows: Iterable[tuple[str, Outcome, str]]) -> None:
    """Prints a phase and what the world says to each of its steps, for a terminal.

    Args:
        name: The phase's name.
        title: The phase's title.
        rows: A step's name, its outcome, and what to show of it.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    out = Console(highlight=False)
    out.print(Text.assemble((name, "bold"), "  ", (title, "dim")))
    table = Table.grid(padding=(0, 2, 0, 0))
    for step, outcome, says in rows:
        table.add_row("", Text(*MARKS[type(outcome)]), step, Text(says, "dim"))
    out.print(table)


def print_phase_plain(name: str, title: str, rows: Iterable[tuple[str, Outcome, str]]) -> None:
    """The same for logs and pipes, one line a step; rich, which is slow to import, is not needed for that."""
    print(f"{name}  {title}")
    for step, outcome, says in rows:
        print(f"  {MARKS[type(outcome)][0]:<8}  {step:<18}  {says}")


class PlainDisplay(AbstractContextManager["PlainDisplay"]):
    """One line an event, for logs: what CI and pipes get."""

    def __init__(self, redact: Redactor, out: TextIO | None = None) -> None:
        self._redact = redact
        self._out = out or sys.stdout
        self._begun = time.monotonic()
        self._last: dict[str, float] = {}
        self._lock = threading.Lock()

    def phase(self, name: str, title: str) -> None:
        """A heading."""
        self._line(f"== {name}: {title}")

    def started(self, step: str, title: str) -> None:
        """The step's title."""
        self._last[step] = time.monotonic()
        self._line(f"   {step}: {title} ...")

    def progress(self, step: str, text: str) -> None:
        """At most one line in ten seconds a step, so that a log stays readable."""
        if time.monotonic() - self._last.get(step, 0.0) >= _PROGRESS_EVERY_S:
            self._last[step] = time.monotonic()
            self._line(f"   {step}: {text}")

    def finished(self, step: str, title: str, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002
        """The outcome and what it says."""
        mark, _ = MARKS[type(outcome)]
        took = f" ({seconds:.1f} s)" if seconds >= 0.1 else ""
        self._line(f"   {step}: {mark}{took}: {first_line(outcome)}")

    def _line(self, text: str) -> None:
        with self._lock:
            print(f"[{time.monotonic() - self._begun:6.1f} s] {self._redact(text)}", file=self._out, flush=True)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lines do not disturb a question."""
        yield

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to put back."""


class LiveDisplay(AbstractContextManager["LiveDisplay"]):
    """Finished steps scroll up; running ones stay below with a spinner, their time and their latest line."""

    def __init__(self, redact: Redactor, console: Console) -> None:
        from rich.live import Live

        self._redact = redact
        self._console = console
        self._running: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()
        self._live = Live(console=console, get_renderable=self._render, refresh_per_second=8, transient=True)

    def __enter__(self) -> LiveDisplay:
        """Starts the display."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the terminal as it was, with the finished lines."""
        self._live.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Takes the running steps off the screen for the length of the block, so that a question can be asked."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start()

    def phase(self, name: str, title: str) -> None:
        """A heading."""
        from rich.markup import escape

        self._console.print(f"\n[bold]{escape(name)}[/]  [dim]{escape(self._redact(title))}[/]")

    def started(self, step: str, title: str) -> None:
        """Puts the step among the running ones."""
        with self._lock:
            self._running[step] = (time.monotonic(), self._redact(title))

    def progress(self, step: str, text: str) -> None:
        """Replaces the step's latest line."""
        with self._lock:
            begun, _ = self._running.get(step, (time.monotonic(), ""))
            self._running[step] = (begun, self._redact(text))

    def finished(self, step: str, title: str, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002
        """Prints the step's line above the running ones."""
        from rich.markup import escape

        with self._lock:
            self._running.pop(step, None)
        mark, style = MARKS[type(outcome)]
        took = f" [dim]{seconds:.1f} s[/]" if seconds >= 0.1 else ""
        text = escape(self._redact(first_line(outcome)))
        self._console.print(f"  [{style}]{mark:<8}[/] {escape(step)}{took}  [dim]{text}[/]", soft_wrap=True)

    def _render(self) -> RenderableType:
        from rich.spinner import Spinner
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1))
        with self._lock:
            running = list(self._running.items())
        for step, (begun, text) in running:
            line = Text.assemble(step, (f" {time.monotonic() - begun:.0f} s ", "dim"), (text, "dim"))
            line.truncate(max(10, self._console.width - 4), overflow="ellipsis")
            table.add_row(Spinner("dots", style="cyan"), line)
        return table


def display(redact: Redactor) -> PlainDisplay | LiveDisplay:
    """The display that suits standard output."""
    if not sys.stdout.isatty():
        return PlainDisplay(redact)
    from rich.console import Console

    console = Console(highlight=False)
    return LiveDisplay(redact, console) if console.is_terminal else PlainDisplay(redact)
