from __future__ import annotations

import io
import re
import threading
import time

import pyte
import pytest
from rich.console import Console

from releaser.core.live import LiveDisplay, print_phase
from releaser.core.step import Conflict, Done, Failed, Skipped, Todo
from releaser.errors import StepError
from releaser.secret import Redactor, Secret

PATIENCE_S = 60.0
CLOCK = r"\d:\d\d:\d\d"


class Terminal(io.StringIO):
    """A terminal of 20 lines, and what is on its screen."""

    def __init__(self, width: int = 80) -> None:
        super().__init__()
        self._screen = pyte.Screen(width, 20)
        self._stream = pyte.Stream(self._screen)
        self._lock = threading.Lock()
        redact = Redactor()
        redact.learn([Secret("hunter2hunter2")])
        self.hours = 0
        self.display = LiveDisplay(
            redact,
            Console(
                file=self,
                force_terminal=True,
                force_interactive=True,
                width=width,
                highlight=False,
                get_time=lambda: time.monotonic() + self.hours * 3600,
            ),
        )

    def write(self, text: str) -> int:
        with self._lock:
            self._stream.feed(text.replace("\n", "\r\n"))
            return super().write(text)

    @property
    def screen(self) -> list[str]:
        with self._lock:
            lines = [line.rstrip() for line in self._screen.display]
        return [line for line in lines if line]

    @property
    def has_cursor(self) -> bool:
        return not self._screen.cursor.hidden

    def line(self, pattern: str) -> str:
        """Wait for a line of the screen that a pattern finds, and return it."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            screen = self.screen
            for line in screen:
                if re.search(pattern, line):
                    return line
            assert time.monotonic() < deadline, f"{pattern} is not on the screen: {screen}"
            threading.Event().wait(0.01)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


def test_finished_steps_scroll_up_and_running_ones_leave_nothing_behind(terminal: Terminal) -> None:
    with terminal.display as display:
        display.phase("build", "the files exist")
        display.started("build_dists", "Files built")
        display.started("write_sbom", "Bill of materials written")
        display.finished("build_dists", "Files built", Done("two files\nof 3 KiB"), 2.04)
        terminal.line("write_sbom")
        assert not terminal.has_cursor

    assert terminal.screen == ["build  the files exist", "  done     build_dists 2.0 s  two files"]
    assert terminal.has_cursor


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (Done("sha256 abc"), "  done     a  sha256 abc"),
        (Todo("upload it"), "  to do    a  upload it"),
        (Skipped("no engine"), "  skipped  a  no engine"),
        (Conflict("Other bytes", "Release 0.2.1."), "  CONFLICT a  Other bytes. Release 0.2.1."),
        (Failed(StepError("It broke\nin two")), "  FAILED   a  It broke"),
    ],
)
def test_every_outcome_is_a_line(terminal: Terminal, outcome: Done | Todo, line: str) -> None:
    with terminal.display as display:
        display.finished("a", "", outcome, 0.0)

    assert terminal.screen == [line]


@pytest.mark.parametrize("says", ["[bold]x[/bold] [/] [0.2.0]", "C:\\path\\", "\\[a]", "100% [a link](b)", "\u2713"])
def test_what_a_step_says_is_shown_as_it_is(terminal: Terminal, says: str) -> None:
    with terminal.display as display:
        display.phase("a", says)
        display.started("b", says)
        assert terminal.line("b +0:").endswith(f"  {says}")
        display.progress("b", f"{says} !")
        assert terminal.line("!$").endswith(f" {says} !")
        display.finished("b", "", Done(says), 0.0)

    assert terminal.screen == [f"a  {says}", f"  done     b  {says}"]


def test_running_steps_stand_below_the_finished_ones_with_their_time_and_latest_line(terminal: Terminal) -> None:
    with terminal.display as display:
        display.started("slow", "Slow one")
        display.started("fast", "Fast one")
        display.progress("slow", "old line")
        display.progress("slow", "new line")
        display.finished("fast", "", Done("ok"), 0.0)
        terminal.line("new line")

        finished, running = terminal.screen
        assert finished == "  done     fast  ok"
        assert re.fullmatch(rf"[^ ] slow {CLOCK} +new line", running)


def test_a_line_is_cut_to_the_width_of_the_terminal() -> None:
    terminal = Terminal(width=40)
    with terminal.display as display:
        display.started("step", "x" * 100)
        terminal.line("step")

        (line,) = terminal.screen
        assert re.fullmatch(rf"[^ ] step {CLOCK} +x+\u2026", line)
        assert len(line) <= 40


def test_a_step_that_counts_has_a_bar_until_it_does_something_else(terminal: Terminal) -> None:
    def bar(line: str) -> int:
        return line.count("\u2501")

    with terminal.display as display:
        display.started("pass_unit", "Unit tests pass")
        assert bar(terminal.line("pass_unit")) == 0

        display.progress("pass_unit", "0 of 12 tests", 0, 12)
        line = terminal.line("0 of 12 tests")
        assert re.search(rf"pass_unit {CLOCK} \S+ 0 of 12", line), line

        display.progress("pass_unit", "12 of 12 tests", 12, 12)
        assert bar(terminal.line("12 of 12 tests")) == 20

        display.progress("pass_unit", "collecting coverage")
        assert bar(terminal.line(f"pass_unit {CLOCK} +collecting")) == 0


def test_a_step_whose_count_is_complete_still_runs(terminal: Terminal) -> None:
    with terminal.display as display:
        display.started("pass_unit", "Unit tests pass")
        display.progress("pass_unit", "12 of 12 tests", 12, 12)
        terminal.line("12 of 12")

        terminal.hours = 1
        terminal.line(r"[^ ] pass_unit 1:00:\d\d")


def test_running_steps_leave_the_screen_while_a_question_is_asked(terminal: Terminal) -> None:
    with terminal.display as display:
        display.started("a", "Running")
        display.finished("b", "", Done("ok"), 0.0)
        with display.paused():
            assert terminal.screen == ["  done     b  ok"]
            assert terminal.has_cursor
            written = terminal.getvalue()
            display.progress("a", "still running")
            assert terminal.getvalue() == written
        terminal.line("still running")
        assert not terminal.has_cursor


def test_no_secret_gets_on_the_screen(terminal: Terminal) -> None:
    with terminal.display as display:
        display.phase("a", "hunter2hunter2")
        display.started("b", "one hunter2hunter2")
        terminal.line(r"one \[hidden\]")
        display.progress("b", "two hunter2hunter2")
        terminal.line(r"two \[hidden\]")
        display.finished("b", "", Done("hunter2hunter2"), 0.0)

    assert "hunter2" not in terminal.getvalue()


def test_colours_of_a_programs_output_do_not_reach_the_terminal(terminal: Terminal) -> None:
    with terminal.display as display:
        display.started("a", "Running")
        display.progress("a", "\x1b[31mred\x1b[0m and \x1b[2Kgone")

        assert terminal.line("red").endswith(" red and gone")
    assert "\x1b[31m" not in terminal.getvalue()


def test_progress_that_comes_late_brings_no_step_back(terminal: Terminal) -> None:
    with terminal.display as display:
        display.started("a", "Running")
        display.finished("a", "", Done("ok"), 0.0)
        display.progress("a", "late")
        display.started("b", "Next")
        terminal.line("Next")

        assert [line for line in terminal.screen if "late" in line] == []


def test_a_plan_has_the_same_words_as_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    print_phase("build", "the files exist", [("a", Done("x"), "x"), ("b", Todo("y"), "y [z]")])

    words = capsys.readouterr().out.split()
    assert words == ["build", "the", "files", "exist", "done", "a", "x", "to", "do", "b", "y", "[z]"]


def test_what_happened_elsewhere_stays_above_the_running_steps(terminal: Terminal) -> None:
    with terminal.display as display:
        display.started("follow", "Followed")
        display.noted("follow", "build succeeded with hunter2hunter2")
        display.progress("follow", "test: step 1")
        terminal.line("follow .* test: step 1")
        display.finished("follow", "Followed", Done("all of it"), 0.01)
    above, end = terminal.screen
    assert above.split() == ["follow", "build", "succeeded", "with", "[hidden]"]
    assert "all of it" in end
