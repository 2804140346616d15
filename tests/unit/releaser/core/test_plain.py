from __future__ import annotations

import io
import re

import pytest

from releaser.core.plain import MARKS, PlainDisplay, print_phase
from releaser.core.step import Conflict, Done, Failed, Outcome, Skipped, Todo, first_line, said
from releaser.errors import StepError
from releaser.secret import Redactor, Secret

OUTCOMES: list[tuple[Outcome, str, str]] = [
    (Done("sha256 abc"), "done", "sha256 abc"),
    (Todo("upload it"), "to do", "upload it"),
    (Skipped("no engine"), "skipped", "no engine"),
    (Conflict("Other bytes", "Release 0.2.1."), "CONFLICT", "Other bytes. Release 0.2.1."),
    (Failed(StepError("It broke.\nThis is why.", "Mend it.")), "FAILED", "It broke.\nThis is why."),
]


@pytest.fixture
def redact() -> Redactor:
    redactor = Redactor()
    redactor.learn([Secret("hunter2hunter2")])
    return redactor


def without_clock(text: str) -> list[str]:
    return [re.sub(r"^\[ *\d+\.\d s\] ", "", line) for line in text.splitlines()]


@pytest.mark.parametrize(("outcome", "mark", "says"), OUTCOMES)
def test_every_outcome_has_a_mark_and_says_what_it_rests_on(outcome: Outcome, mark: str, says: str) -> None:
    assert MARKS[type(outcome)] == mark
    assert said(outcome) == says
    assert first_line(outcome) == says.splitlines()[0]


def test_an_outcome_that_says_nothing_still_has_a_first_line() -> None:
    assert first_line(Done("")) == ""


def test_a_log_has_one_line_an_event_with_its_time(redact: Redactor) -> None:
    out = io.StringIO()
    with PlainDisplay(redact, out) as display:
        display.phase("build", "the files exist")
        display.started("build_dists", "They are built")
        display.finished("build_dists", "They are built", Done("two files"), 2.04)
        display.finished("inspect", "They are right", Skipped("on request"), 0.01)

    assert re.match(r"\[   0\.\d s\] == build", out.getvalue())
    assert without_clock(out.getvalue()) == [
        "== build: the files exist",
        "   build_dists: They are built ...",
        "   build_dists: done (2.0 s): two files",
        "   inspect: skipped: on request",
    ]


def test_a_chatty_step_does_not_fill_the_log(redact: Redactor, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    out = io.StringIO()
    display = PlainDisplay(redact, out)

    display.started("wait", "It shows")
    for second in range(26):
        now = 1000.0 + second
        display.progress("wait", f"second {second}")
        display.progress("wait", "and so on")

    assert without_clock(out.getvalue()) == ["   wait: It shows ...", "   wait: second 10", "   wait: second 20"]


def test_the_first_line_of_a_failure_stands_in_the_log(redact: Redactor) -> None:
    out = io.StringIO()

    PlainDisplay(redact, out).finished("a", "", Failed(StepError("It broke.\nThis is why.")), 0.0)

    assert without_clock(out.getvalue()) == ["   a: FAILED: It broke."]


def test_no_secret_gets_into_a_log(redact: Redactor) -> None:
    out = io.StringIO()
    display = PlainDisplay(redact, out)

    display.phase("a", "with hunter2hunter2")
    display.started("b", "hunter2hunter2")
    display.finished("b", "", Conflict("hunter2hunter2", "hunter2hunter2"), 0.0)

    assert "hunter2" not in out.getvalue()
    assert out.getvalue().count("[hidden]") == 4


def test_a_plan_is_printed_one_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    print_phase("build", "the files exist", [("a", Done("x"), "x"), ("b", Todo("y"), "y [z]")])

    assert capsys.readouterr().out.splitlines() == [
        "build  the files exist",
        "  done      a                   x",
        "  to do     b                   y [z]",
    ]


def test_what_happened_elsewhere_is_a_line_at_once_and_what_follows_it_too(redact: Redactor) -> None:
    out = io.StringIO()
    with PlainDisplay(redact, out) as display:
        display.started("follow", "Followed")
        display.progress("follow", "build: step 1")
        display.noted("follow", "build succeeded with hunter2hunter2")
        display.progress("follow", "test: step 1")
        display.progress("follow", "test: step 2")

    assert without_clock(out.getvalue()) == [
        "   follow: Followed ...",
        "   follow: build succeeded with [hidden]",
        "   follow: test: step 1",
    ]
