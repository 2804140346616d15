"""Real nox sessions that run real pytest, and what the step that waits for them is told."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from releaser.adapters import nox
from releaser.core.activity import Activity, bound
from releaser.errors import CommandError

COUNT = re.compile(r"\d+ of \d+ tests")
NOXFILE = f"""
import os
import nox

@nox.session(venv_backend="none")
def tests(session):
    words = os.environ["WORDS"].split(";")
    for one in words:
        junit = os.path.join(os.environ["RELEASER_JUNIT"], "tests.xml")
        session.run({sys.executable!r}, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={{junit}}", *one.split())

@nox.session(venv_backend="none")
def prints(session):
    session.run({sys.executable!r}, "prints.py")
"""
PRINTED = ["half of it [1/2]", "checked 3 of 4 files", "[2/2] FILES", "A::B is FINE, as is [2/2]."]
TESTS = """
import pytest

@pytest.mark.parametrize("number", range(12))
def test_number(number):
    if number == 5:
        pytest.skip("five is not tried")
"""


class Told(list):
    """The texts that were told; each that counts tests must have said the same in numbers."""

    def hear(self, text: str, done: int | None = None, total: int | None = None) -> None:
        said = COUNT.fullmatch(text)
        assert (done, total) == (tuple(int(one) for one in re.findall(r"\d+", text)) if said else (None, None))
        self.append(text)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a session, and returns its tally, the texts that were told, and its log."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "noxfile.py").write_text(NOXFILE, "utf-8")
    (tree / "pytest.ini").write_text("[pytest]\n", "utf-8")
    (tree / "test_numbers.py").write_text(TESTS, "utf-8")
    (tmp_path / "scratch").mkdir()
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def start(name: str, words: str = ""):
        told = Told()
        (tree / "prints.py").write_text("\n".join(f"print({line!r})" for line in PRINTED), "utf-8")
        monkeypatch.setenv("WORDS", words)
        log = tmp_path / "session.log"
        with bound(Activity(told.hear)):
            tally = nox.session(name, tree, Path("some.whl"), tmp_path / "scratch", log)
        return tally, told, log.read_text("utf-8")

    return start


@pytest.mark.parametrize("words", ["", "-v", "--numprocesses=2"])
def test_progress_is_tests_done_of_all(run, words):
    if "numprocesses" in words:
        pytest.importorskip("xdist")
    tally, told, _ = run("tests", words)
    assert (tally.passed, tally.skipped, tally.why) == (11, 1, "five is not tried")
    assert [one for one in told if COUNT.fullmatch(one)] == [f"{number} of 12 tests" for number in range(1, 13)]


def test_a_quiet_session_says_less_often_how_far_it_is(run):
    _, told, _ = run("tests", "-q")
    assert [one for one in told if COUNT.fullmatch(one)] == ["12 of 12 tests"]


def test_a_session_that_runs_pytest_twice_counts_twice(run):
    _, told, _ = run("tests", "-k 1;-k 2")
    counts = [one for one in told if COUNT.fullmatch(one)]
    assert counts == ["1 of 3 tests", "2 of 3 tests", "3 of 3 tests", "1 of 1 tests"]
    between = told[told.index("3 of 3 tests") + 1]
    assert between.startswith("nox > ")
    assert "-k 2" in between


def test_a_session_without_tests_says_its_latest_line(run):
    tally, told, log = run("prints")
    assert tally is None
    assert [one for one in told if not one.startswith("nox > ")] == PRINTED
    assert all(line in log for line in PRINTED)


def test_options_that_the_user_gave_pytest_still_hold(run, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k 11")
    _, told, _ = run("tests")
    assert [one for one in told if COUNT.fullmatch(one)] == ["1 of 1 tests"]


def test_a_failing_session_is_an_error_with_its_last_lines(run):
    with pytest.raises(CommandError) as caught:
        run("tests", "--no-such-option")
    assert "Session tests failed" in caught.value.message
    assert "--no-such-option" in caught.value.message
