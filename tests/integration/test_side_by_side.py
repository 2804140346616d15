"""What tests/tools/side_by_side.py promises, of a pytest with two workers."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
# Each test writes when it ran; those that share the room are long enough to meet an `alone` one, if it let them.
TESTS = """\
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def note(name):
    begun = time.monotonic()
    time.sleep(0.05)
    with (HERE / "ran").open("a") as file:
        file.write(f"{name} {begun} {time.monotonic()}\\n")


@pytest.fixture(scope="module")
def made(once):
    def make(folder):
        with (HERE / "made").open("a") as file:
            file.write("made\\n")
        (folder / "it").write_text("whole")
        return folder / "it"

    return once("thing", make, lambda it: ["mv", str(it), str(HERE / "moved")])


@pytest.mark.parametrize("number", range(6))
def test_shared(number, made):
    assert made.read_text() == "whole"
    note("shared")


@pytest.mark.alone
@pytest.mark.parametrize("number", range(4))
def test_alone(number):
    note("alone")


@pytest.mark.parametrize("number", range(6))
def test_shared_too(number, made):
    note("shared")


@pytest.mark.lengthy
def test_lengthy(made):
    note("lengthy")
"""
SETTINGS = f'[pytest]\nmarkers =\n  alone\n  lengthy\npythonpath = "{TOOLS}"\naddopts = -p side_by_side\n'


Ran = list[tuple[str, float, float]]


def run(folder: Path, *options: str) -> Ran:
    """Run those tests; return name, begin and end of each, in the order in which they began."""
    (folder / "test_it.py").write_text(TESTS)
    (folder / "pytest.ini").write_text(SETTINGS)
    command = [sys.executable, "-m", "pytest", "-q", f"--basetemp={folder / 'temporary'}", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in (folder / "ran").read_text().splitlines()]
    return sorted(((name, float(begun), float(ended)) for name, begun, ended in lines), key=lambda one: one[1])


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, str, bool]:
    """What ran and what was made, with two workers, and whether that was removed."""
    folder = tmp_path_factory.mktemp("two")
    ran = run(folder, "--numprocesses=2", "--dist=worksteal")
    return ran, (folder / "made").read_text(), (folder / "moved").exists()


def test_a_test_that_is_alone_overlaps_no_other(two_workers: tuple[Ran, str, bool]) -> None:
    ran, *_ = two_workers
    assert sorted(name for name, _, _ in ran) == ["alone"] * 4 + ["lengthy"] + ["shared"] * 12
    for name, begun, ended in ran:
        if name == "alone":
            assert [other for other in ran if other[1] < ended and begun < other[2]] == [(name, begun, ended)]


def test_those_that_are_alone_begin_when_the_others_are_done_but_for_the_last_of_each_worker(
    two_workers: tuple[Ran, str, bool],
) -> None:
    names = [name for name, _, _ in two_workers[0]]
    assert names.index("alone") >= 13 - 2
    first = names.index("alone")
    assert names[first : first + 4] == ["alone"] * 4


def test_the_others_run_side_by_side(two_workers: tuple[Ran, str, bool]) -> None:
    shared = [one for one in two_workers[0] if one[0] == "shared"]
    assert any(first[2] > second[1] for first, second in pairwise(shared))


def test_what_is_made_once_is_made_once_for_all_workers(two_workers: tuple[Ran, str, bool]) -> None:
    assert two_workers[1] == "made\n"


def test_what_was_made_is_removed_after_all_tests(two_workers: tuple[Ran, str, bool]) -> None:
    assert two_workers[2]


def test_a_lengthy_test_begins_first(two_workers: tuple[Ran, str, bool]) -> None:
    assert "lengthy" in [name for name, _, _ in two_workers[0]][:2]


def test_one_after_another_those_that_are_alone_come_last(tmp_path: Path) -> None:
    assert [name for name, _, _ in run(tmp_path)] == ["lengthy"] + ["shared"] * 12 + ["alone"] * 4
