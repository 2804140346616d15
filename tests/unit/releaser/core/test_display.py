from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import TextIO

import pytest

from releaser.core.display import display, print_phase
from releaser.core.live import LiveDisplay
from releaser.core.plain import PlainDisplay
from releaser.core.step import Done, Todo
from releaser.secret import Redactor


@pytest.fixture
def terminal() -> Iterator[TextIO]:
    """Standard output of a process in a terminal."""
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as out:
        yield out
    os.close(master)


def test_pipes_get_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())

    assert isinstance(display(Redactor()), PlainDisplay)


@pytest.mark.parametrize(("term", "kind"), [("xterm", LiveDisplay), ("dumb", PlainDisplay)])
def test_a_terminal_gets_a_live_display_if_it_can_move_its_cursor(
    monkeypatch: pytest.MonkeyPatch, terminal: TextIO, term: str, kind: type
) -> None:
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", term)

    assert isinstance(display(Redactor()), kind)


def test_a_plan_in_a_pipe_has_one_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    print_phase("build", "the files exist", [("a", Done("x"), "x"), ("b", Todo("y"), "y [z]")])

    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_pipe_does_not_pay_for_rich() -> None:
    words = "import sys; from releaser.core.display import *; display(None); print_phase('a', 'b', [])"
    code = f"{words}; sys.exit('rich' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False).returncode == 0
