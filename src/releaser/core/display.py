"""Show a run: live on a terminal, as plain lines everywhere else.

rich is slow to import, so `releaser.core.live` is imported only for a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from releaser.core import plain
from releaser.core.step import Outcome

if TYPE_CHECKING:
    from releaser.core.live import LiveDisplay


def print_phase(name: str, title: str, rows: Iterable[tuple[str, Outcome, str]]) -> None:
    """Print a phase and the outcome of each of its steps: a step's name, its outcome, and what to show of it."""
    if sys.stdout.isatty():
        from releaser.core import live

        live.print_phase(name, title, rows)
    else:
        plain.print_phase(name, title, rows)


def display(redact: Callable[[str], str]) -> plain.PlainDisplay | LiveDisplay:
    """Return the display that suits standard output."""
    if sys.stdout.isatty():
        from releaser.core import live

        if console := live.console():
            return live.LiveDisplay(redact, console)
    return plain.PlainDisplay(redact)
