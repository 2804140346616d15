from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from releaser.core.chain import Chain, head_of, read_chain
from releaser.core.journal import Journal
from releaser.secret import Redactor


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "journal.jsonl"
    journal = Journal(found, Redactor())
    for number in range(4):
        journal.write("built" if number % 2 else "begin", number=number)
    return found


def cut(path: Path, kept: int) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:kept]))


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda path: cut(path, 2), "was cut: it has 2 lines, and had 4"),
        (lambda path: cut(path, 0), "was cut: it has 0 lines, and had 4"),
        (lambda path: path.unlink(), "is gone, and had 4"),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b'"number": 1', b'"number": 9')),
            "was altered: line 3 does not hold the hash of the line before it",
        ),
        (
            lambda path: path.write_bytes(path.read_bytes().replace(b'"number": 3', b'"number": 9')),
            "was altered: line 4 is not the one that was written",
        ),
    ],
    ids=["cut", "emptied", "gone", "altered", "last line altered"],
)
def test_what_was_done_to_a_journal_is_said(path: Path, harm: Callable[[Path], None], problem: str) -> None:
    harm(path)

    assert read_chain(path).problem == problem


@pytest.mark.parametrize("head", [b"", b"x", b"\xff", b"0000000003 4f2a", None])
def test_a_head_that_a_power_failure_took_says_nothing(path: Path, head: bytes | None) -> None:
    if head is None:
        head_of(path).unlink()
    else:
        head_of(path).write_bytes(head)

    assert read_chain(path).problem is None


def test_a_run_that_was_killed_before_it_wrote_the_head_leaves_a_whole_journal(path: Path) -> None:
    behind = head_of(path).read_bytes()
    Journal(path, Redactor()).write("end")
    head_of(path).write_bytes(behind)

    assert read_chain(path).problem is None
    Journal(path, Redactor()).write("begin")
    assert read_chain(path).lines == 6


def test_two_writers_of_one_run_make_one_chain(path: Path) -> None:
    one, other = Journal(path, Redactor()), Journal(path, Redactor())
    for journal in (one, other, one):
        journal.write("built", number=7)

    assert read_chain(path).problem is None
    assert read_chain(path).lines == 7


def test_the_newest_event_with_the_facts_is_found(path: Path) -> None:
    chain = read_chain(path)

    assert chain.newest("built")["number"] == 3
    assert chain.newest("built", number=1)["number"] == 1
    assert chain.newest("built", number=2) is None
    assert read_chain(path.with_name("none.jsonl")) == Chain(path.with_name("none.jsonl"))
