"""Runs of tiny plans from outside: what is locked, recorded, shown, asked, and how a run ends."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from releaser import engine
from releaser.adapters.git import Git
from releaser.config.load import parse_config
from releaser.core.activity import current
from releaser.core.chain import read_chain
from releaser.core.named import must_be_step, required_steps, skipped_steps
from releaser.core.step import Conflict, Done, Outcome, Phase, Plan, Step, Todo, in_order, together
from releaser.errors import ConflictError, InterruptedRunError, NotConfirmedError, StepError, UsageError
from releaser.plan import release_plan
from releaser.release import Release
from releaser.secret import Credentials
from releaser.store import ReleaseStore
from releaser.versions.version import Version

PATIENCE_S = 60.0
TOKEN = "hunter2hunter2"
CONFIG = parse_config(
    {
        "version-files": [{"path": "pyproject.toml", "key": "project.version"}],
        "qualify": {"sessions": ["unit", "long-name"], "where-possible": ["e2e"]},
    },
    {"name": "demo"},
)
PLAN = release_plan(CONFIG)


class Noted(Step[Release]):
    """A fact that holds when its file is there; `doing` happens before it is written."""

    def __init__(self, name: str, doing: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self.title = f"{name} is noted"
        self.doing = doing

    def check(self, release: Release) -> Outcome:
        path = release.git.root / self.name
        return Done(f"{self.name} is there") if path.exists() else Todo(f"write {self.name}")

    def run(self, release: Release) -> None:
        self.doing()
        (release.git.root / self.name).touch()


class Contradicted(Noted):
    def check(self, _release: Release) -> Outcome:
        return Conflict(f"{self.name} is otherwise, says {TOKEN}", "Settle it.")


@pytest.fixture
def release(tmp_path: Path) -> Release:
    (tmp_path / "tree").mkdir()
    credentials = Credentials({"PYPI_TOKEN": TOKEN})
    return Release(CONFIG, Version(1, 0, 0), Git(tmp_path / "tree"), ReleaseStore(tmp_path / "state"), credentials)


def plan(*steps: Step[Release], ask: str | None = None) -> Plan[Release]:
    return (Phase("only", "all is well", in_order(*steps), ask),)


def failing(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def journal(release: Release) -> list[dict[str, Any]]:
    chain = read_chain(release.store.path / "journal.jsonl")
    assert chain.problem is None
    return list(chain.entries)


def noted(release: Release) -> list[str]:
    return sorted(path.name for path in release.git.root.iterdir())


def carry_out(release: Release, plan: Plan[Release], **options: Any) -> list[Any]:
    return engine.carry_out(release, plan, **{"skip": {}, "confirm": engine.say_yes, **options})


# --- a run ------------------------------------------------------------------------------------------------------------


def test_a_run_is_on_record_from_begin_to_end(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["invoke", "release", "--version", "1.0.0", "--title", TOKEN])

    carry_out(release, plan(Noted("a"), Noted("b"), ask="Go on?"), skip={"b": "left out by --skip b"})

    events = journal(release)
    assert [event["event"] for event in events] == [
        "begin",
        "confirmed",
        "phase",
        *["started", "finished"],
        "finished",
        "end",
    ]
    assert (events[0]["version"], events[0]["skipped"]) == ("1.0.0", {"b": "left out by --skip b"})
    assert events[0]["command"] == ["release", "--version", "1.0.0", "--title", "[hidden]"]
    assert events[1]["question"] == "Go on?"
    assert (events[4]["step"], events[4]["outcome"], events[4]["says"]) == ("a", "done", "a is there")
    assert (events[5]["step"], events[5]["outcome"], events[5]["says"]) == ("b", "skipped", "left out by --skip b")
    assert events[6]["outcome"] == "done"


def test_a_run_is_shown_line_by_line_where_there_is_no_terminal(
    release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    carry_out(release, plan(Noted("a")))

    assert [line.partition("] ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "== only: all is well",
        "   a: a is noted ...",
        "   a: done: a is there",
    ]


def test_two_runs_of_one_version_at_a_time_are_one_too_many(release: Release) -> None:
    with release.store.locked(), pytest.raises(ConflictError, match="Another run is releasing this version"):
        carry_out(release, plan(Noted("a")))

    assert noted(release) == []


def test_a_survey_takes_no_lock_and_leaves_nothing(release: Release) -> None:
    with release.store.locked():
        pass
    before = sorted(release.store.path.rglob("*"))
    with release.store.locked():
        results = engine.survey(release, plan(Noted("a")), {})

    assert [type(one.outcome) for one in results] == [Todo]
    assert (noted(release), sorted(release.store.path.rglob("*"))) == ([], before)


def test_observers_beside_the_display_hear_of_the_run(release: Release) -> None:
    heard: list[str] = []

    class Hearing:
        def phase(self, name: str, title: str) -> None:
            heard.append(f"{name}: {title}")

        def started(self, step: str, title: str) -> None:
            heard.append(f"{step}: {title}")

        def noted(self, step: str, text: str) -> None:
            heard.append(f"{step} notes {text}")

        def progress(self, step: str, text: str, *_counted: int | None) -> None:
            heard.append(f"{step} says {text}")

        def finished(self, step: str, _title: str, outcome: Outcome, _seconds: float) -> None:
            heard.append(f"{step} {type(outcome).__name__}")

    def work() -> None:
        current().tell("half way")
        current().note("a job ended")

    carry_out(release, plan(Noted("a", work)), observers=[Hearing()])

    assert heard == ["only: all is well", "a: a is noted", "a says half way", "a notes a job ended", "a Done"]
    assert ("a", "a job ended") in [(one.get("step"), one.get("says")) for one in journal(release)]


# --- how it ends ------------------------------------------------------------------------------------------------------


def test_a_failure_is_on_record_and_tells_no_secret(release: Release) -> None:
    broken = StepError(f"the token {TOKEN} is refused", f"Replace {TOKEN}.")

    with pytest.raises(StepError) as caught:
        carry_out(release, plan(Noted("a", failing(broken))))

    assert (caught.value.message, caught.value.remedy) == ("a: the token [hidden] is refused", "Replace [hidden].")
    end = journal(release)[-1]
    assert (end["event"], end["outcome"], end["message"]) == ("end", "StepError", "a: the token [hidden] is refused")


def test_a_conflict_is_on_record_and_nothing_was_touched(release: Release) -> None:
    with pytest.raises(ConflictError, match=r"nothing was changed:\n- b: b is otherwise, says \[hidden\]"):
        carry_out(release, plan(Noted("a"), Contradicted("b")))

    assert noted(release) == []
    assert [event["event"] for event in journal(release)] == ["begin", "end"]


def test_our_own_bug_is_on_record_before_its_traceback(release: Release) -> None:
    with pytest.raises(ZeroDivisionError):
        carry_out(release, plan(Noted("a", lambda: 1 / 0 and None)))

    end = journal(release)[-1]
    assert (end["event"], end["outcome"], end["message"]) == ("end", "ZeroDivisionError", "division by zero")


def test_a_no_is_on_record(release: Release) -> None:
    with pytest.raises(NotConfirmedError):
        carry_out(release, plan(Noted("a"), ask="Go on?"), confirm=lambda _: failing(NotConfirmedError("no"))())

    assert [event["event"] for event in journal(release)] == ["begin", "end"]
    assert noted(release) == []


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_a_signal_ends_what_runs_and_says_how_to_go_on(
    release: Release, number: signal.Signals, code: int, word: str
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    both_run = threading.Barrier(2, timeout=PATIENCE_S)

    def strike() -> None:
        both_run.wait()
        os.kill(os.getpid(), number)
        current().sleep(PATIENCE_S * 10)

    def wait() -> None:
        both_run.wait()
        current().sleep(PATIENCE_S * 10)

    interrupted = (Phase("only", "", together((Noted("a", strike), Noted("a2")), Noted("b", wait))),)
    with pytest.raises(InterruptedRunError) as caught:
        carry_out(release, interrupted)

    assert (caught.value.exit_code, noted(release)) == (code, [])
    assert "Rerun the command" in caught.value.remedy
    assert journal(release)[-1]["outcome"] == word
    assert signal.getsignal(signal.SIGTERM) is before
    carry_out(release, (Phase("only", "", together(Noted("a"), Noted("b"))),))
    assert noted(release) == ["a", "b"]


def test_a_second_signal_does_not_interrupt_the_stopping(release: Release) -> None:
    both_run = threading.Barrier(2, timeout=PATIENCE_S)

    def strike_twice() -> None:
        both_run.wait()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(InterruptedRunError):
            current().sleep(PATIENCE_S * 10)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)

    def wait() -> None:
        both_run.wait()
        current().sleep(PATIENCE_S * 10)

    with pytest.raises(InterruptedRunError) as caught:
        carry_out(release, (Phase("only", "", together((Noted("a", strike_twice), Noted("a2")), Noted("b", wait))),))

    assert (caught.value.exit_code, noted(release)) == (130, ["a"])
    assert journal(release)[-1]["outcome"] == "interrupted"


def test_a_signal_that_this_process_was_told_to_ignore_stays_ignored(release: Release) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        carry_out(release, plan(Noted("a", lambda: os.kill(os.getpid(), signal.SIGINT))))
    finally:
        signal.signal(signal.SIGINT, before)

    assert noted(release) == ["a"]


# --- what is left out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("testpypi", {"log_in_testpypi", "ask_again", "upload_testpypi", "try_testpypi"}),
        ("pass_unit", {"pass_unit"}),
        ("e2e", {"pass_e2e"}),
        ("long_name", {"pass_long_name"}),
        ("close_milestone", {"close_milestone"}),
        ("milestone", {"close_milestone"}),
    ],
)
def test_a_step_a_phase_or_the_end_of_a_name_can_be_left_out(word: str, expected: set[str]) -> None:
    found = skipped_steps(PLAN, [word])

    assert set(found) == expected
    assert set(found.values()) == {f"left out by --skip {word}"}


def test_several_words_leave_out_what_each_names() -> None:
    assert set(skipped_steps(PLAN, ["e2e", "unit", "e2e"])) == {"pass_e2e", "pass_unit"}
    assert skipped_steps(PLAN, []) == {}


@pytest.mark.parametrize("word", ["push_tag", "push", "pypi", "preflight", "build_dists", "qualify", "draft_release"])
def test_what_later_steps_need_cannot_be_left_out(word: str) -> None:
    with pytest.raises(UsageError, match="cannot be skipped"):
        skipped_steps(PLAN, ["e2e", word])


@pytest.mark.parametrize(("word", "near"), [("close-milestone", "close_milestone"), ("pas_unit", "pass_unit")])
def test_a_word_that_names_nothing_is_answered_with_the_nearest(word: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"There is no step named {word}") as caught:
        skipped_steps(PLAN, [word])

    assert near in caught.value.remedy


@pytest.mark.parametrize("word", ["", "xyzzy", "_"])
def test_a_word_like_no_name_is_answered_with_all_that_can_be_left_out(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        skipped_steps(PLAN, [word])

    assert all(name in caught.value.remedy for name in ("try_testpypi", "pass_e2e", "fast_forward"))


def test_a_step_that_the_plan_has_not_is_answered_with_those_of_this_plan() -> None:
    must_be_step(PLAN, "push_tag", "--fault engine:kill-after=push_tag")

    with pytest.raises(UsageError, match="kill-after=push_tga: there is no step push_tga") as caught:
        must_be_step(PLAN, "push_tga", "--fault engine:kill-after=push_tga")

    assert "push_tag" in caught.value.remedy


def test_any_step_or_phase_can_be_required_also_one_that_may_not_be_skipped() -> None:
    found = required_steps(PLAN, ["e2e", "push"])

    assert found == {"pass_e2e": "--require e2e", "create_tag": "--require push", "push_tag": "--require push"}


def test_a_requirement_that_names_nothing_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="There is no step named pass_e2") as caught:
        required_steps(PLAN, ["pass_e2"])

    assert "that can be required: pass_e2e" in caught.value.remedy


# --- the one question -------------------------------------------------------------------------------------------------


class Person(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y\n", "yes\n", " Y \n", "YES\n"])
def test_a_yes_goes_on(answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", Person(answer))

    engine.ask_person("Go on in public?")

    assert capsys.readouterr().out == "\nGo on in public? [y/N] "


@pytest.mark.parametrize(
    "answer", ["\n", "n\n", "no\n", "yesterday\n", ""], ids=["enter", "n", "no", "other", "Ctrl-D"]
)
def test_anything_else_does_not(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Person(answer))

    with pytest.raises(NotConfirmedError) as caught:
        engine.ask_person("Go on in public?")

    assert caught.value.exit_code == 4


def test_where_nobody_can_answer_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

    with pytest.raises(NotConfirmedError) as caught:
        engine.ask_person("Go on in public?")

    assert "--yes" in caught.value.remedy
    assert capsys.readouterr().out == ""


# --- the plan as it stands --------------------------------------------------------------------------------------------


def test_a_dry_run_prints_every_step_and_counts_what_is_to_do(
    release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    (release.git.root / "a").touch()
    steps = plan(Noted("a"), Noted("b"))

    engine.print_survey(release, engine.survey(release, steps, {}), steps)

    assert capsys.readouterr().out.splitlines() == [
        "only  all is well",
        "  done      a                   a is there",
        "  to do     b                   write b",
        "",
        "1 of 2 steps to do; nothing was changed.",
    ]


def test_a_dry_run_that_finds_conflicts_prints_all_and_fails_as_a_release_would(
    release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = plan(Noted("a"), Contradicted("b"))

    with pytest.raises(ConflictError, match=r"nothing was changed:\n- b: b is otherwise, says \[hidden\]"):
        engine.print_survey(release, engine.survey(release, steps, {}), steps)

    out = capsys.readouterr().out
    assert "  CONFLICT  b                   b is otherwise, says [hidden]. Settle it." in out
    assert "  to do     a " in out
