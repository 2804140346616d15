"""Show a run on a terminal, with rich; imported only where there is one, because rich is slow to import."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from releaser.core.plain import MARKS
from releaser.core.step import Outcome, first_line

_STYLES = {
    "done": "green",
    "to do": "cyan",
    "skipped": "yellow",
    "WARNING": "bold yellow",
    "STAYS": "magenta",
    "CONFLICT": "bold red",
    "FAILED": "bold red",
}
_BAR_WIDTH = 20


def console() -> Console | None:
    """Return standard output's terminal; None if it cannot move its cursor (TERM=dumb)."""
    found = Console(highlight=False)
    return found if found.is_interactive else None


def print_phase(name: str, title: str, rows: Iterable[tuple[str, Outcome, str]]) -> None:
    """Print a phase and the outcome of each of its steps.

    Args:
        name: The phase's name.
        title: The phase's title.
        rows: A step's name, its outcome, and what to show of it.
    """
    out = Console(highlight=False)
    out.print(Text.assemble((name, "bold"), "  ", (title, "dim")))
    table = Table.grid(padding=(0, 2, 0, 0))
    for step, outcome, says in rows:
        table.add_row("", _mark(outcome), Text(step), Text(says, "dim"))
    out.print(table)


class LiveDisplay(AbstractContextManager["LiveDisplay"]):
    """Finished steps scroll up. Below them each running one has a spinner, its time and its latest line."""

    def __init__(self, redact: Callable[[str], str], console: Console) -> None:
        self._redact = redact
        self._console = console
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()
        self._progress = Progress(
            SpinnerColumn("dots", style="cyan"),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            _Bar(),
            TextColumn(
                "{task.fields[latest]}",
                style="dim",
                markup=False,
                table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
            ),
            console=console,
            transient=True,
            expand=True,
        )

    def __enter__(self) -> LiveDisplay:
        """Start the display."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was, with the finished lines."""
        self._progress.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Take the running steps off the screen for the length of the block, so that a question can be asked."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def phase(self, name: str, title: str) -> None:
        """Print a heading."""
        self._console.print(Text.assemble("\n", (name, "bold"), "  ", (self._redact(title), "dim")))

    def started(self, step: str, title: str) -> None:
        """Add the step to the running ones."""
        with self._lock:
            self._tasks[step] = self._progress.add_task(step, total=None, latest=self._line(title), finished_of=None)

    def progress(self, step: str, text: str, done: int | None = None, total: int | None = None) -> None:
        """Replace the step's latest line, and its bar if it has one."""
        with self._lock:
            if step in self._tasks:
                counted = (done, total) if done is not None and total else None
                self._progress.update(self._tasks[step], latest=self._line(text), finished_of=counted)

    def noted(self, step: str, text: str) -> None:
        """Print it above the running steps."""
        line = Text.assemble(" " * 11, step, ("  ", "dim"), self._line(text))
        self._console.print(line, soft_wrap=True)

    def finished(self, step: str, _title: str, outcome: Outcome, seconds: float) -> None:
        """Print the step's line above the running ones."""
        with self._lock:
            if step in self._tasks:
                self._progress.remove_task(self._tasks.pop(step))
        line = Text.assemble("  ", _mark(outcome), " " * (9 - len(MARKS[type(outcome)])), step)
        if seconds >= 0.1:
            line.append(f" {seconds:.1f} s", "dim")
        line.append(f"  {self._redact(first_line(outcome))}", "dim")
        self._console.print(line, soft_wrap=True)

    def _line(self, text: str) -> str:
        """Return a text without secrets, and without the colours and cursor movements of a program's output."""
        return Text.from_ansi(self._redact(text)).plain


class _Bar(ProgressColumn):
    """A bar for a step that reports how much of all is done.

    It is not rich's own column because a step whose count is complete still runs: its clock keeps running.
    """

    def render(self, task: Task) -> RenderableType:
        """Return the bar; nothing for a step without a count."""
        if task.fields["finished_of"] is None:
            return Text()
        done, total = task.fields["finished_of"]
        return ProgressBar(total=total, completed=done, width=_BAR_WIDTH)


def _mark(outcome: Outcome) -> Text:
    mark = MARKS[type(outcome)]
    return Text(mark, _STYLES[mark])
