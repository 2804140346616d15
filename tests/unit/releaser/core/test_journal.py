from __future__ import annotations

import hashlib
import json
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from releaser.core.chain import read_chain
from releaser.core.journal import Journal
from releaser.secret import Redactor, Secret


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.jsonl"


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").split("\n")[:-1]


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(path)]


def filled(path: Path) -> Journal:
    journal = Journal(path, Redactor())
    for number in range(4):
        journal.write("finished", step=f"step{number}", says="all is well \u2028 and \x85")
    return journal


def test_an_event_is_one_line_of_json_with_its_time_and_its_facts(path: Path) -> None:
    Journal(path, Redactor()).write("finished", step="build", seconds=1.5, skipped={"a": ["b", None]})

    assert path.read_bytes().count(b"\n") == 1
    (event,) = events(path)
    assert datetime.fromisoformat(event.pop("at")).tzinfo is not None
    assert event == {
        "event": "finished",
        "step": "build",
        "seconds": 1.5,
        "skipped": {"a": ["b", None]},
        "previous": "0" * 64,
    }


def test_each_line_holds_the_hash_of_the_one_before_across_runs(path: Path) -> None:
    for number in range(3):
        Journal(path, Redactor()).write("begin", run=number)

    first, second, third = lines(path)
    assert json.loads(second)["previous"] == hashlib.sha256(first.encode()).hexdigest()
    assert json.loads(third)["previous"] == hashlib.sha256(second.encode()).hexdigest()
    assert read_chain(path).problem is None
    assert [event["run"] for event in events(path)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("spoil", "number"),
    [
        (lambda lines: [lines[0].replace("step0", "step9"), *lines[1:]], 2),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [*lines[:2], "", *lines[2:]], 3),
        (lambda lines: [*lines[:3], "[]"], 4),
        (lambda lines: [*lines[:3], lines[3][:20]], 4),
        (lambda lines: [line + " " if n == 1 else line for n, line in enumerate(lines)], 3),
    ],
    ids=["altered", "removed", "swapped", "blank", "no object", "cut short", "a space more"],
)
def test_an_altered_record_is_noticed_and_kept_and_a_new_one_says_so(
    path: Path, spoil: Callable[[list[str]], list[str]], number: int
) -> None:
    filled(path)
    altered = "".join(f"{line}\n" for line in spoil(lines(path)))
    path.write_text(altered, "utf-8", newline="")

    Journal(path, Redactor()).write("begin")

    (kept,) = path.parent.glob("journal.altered-*.jsonl")
    assert kept.read_bytes() == altered.encode()
    noted, begun = events(path)
    assert (noted["event"], noted["file"], noted["line"]) == ("altered", kept.name, number)
    assert (begun["event"], read_chain(path).problem) == ("begin", None)


@pytest.mark.parametrize("torn", [b'{"at": "20', b"{", b"\xff\xfe", '{"says": "caf\u00e9'.encode()[:-1]])
def test_a_last_line_torn_by_a_kill_is_dropped_and_noted(path: Path, torn: bytes) -> None:
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)

    Journal(path, Redactor()).write("begin")

    assert path.read_bytes().startswith(whole + b"{")
    assert [event["event"] for event in events(path)] == ["finished"] * 4 + ["torn", "begin"]
    assert events(path)[4]["dropped"] == len(torn)
    assert read_chain(path).problem is None


def test_a_first_line_torn_by_a_kill_leaves_an_empty_record(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"at"')

    Journal(path, Redactor())

    assert [event["event"] for event in events(path)] == ["torn"]


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_a_record_without_a_word_is_taken_over_or_kept_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    Journal(path, Redactor()).write("begin")

    assert events(path)[-1]["event"] == "begin"
    assert read_chain(path).problem is None


def test_threads_write_whole_lines_into_one_chain(path: Path) -> None:
    journal = Journal(path, Redactor())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: journal.write("finished", number=number, says="x" * 500), range(64)))

    assert read_chain(path).problem is None
    assert sorted(event["number"] for event in events(path)) == list(range(64))


def test_no_secret_is_written_however_deep_it_lies(path: Path) -> None:
    redact = Redactor()
    redact.learn([Secret("hunter2hunter2")])

    Journal(path, redact).write(
        "end",
        message="the token hunter2hunter2 is refused",
        command=["--title", "hunter2hunter2"],
        skipped={"step": ("see https://me:hunter2hunter2@example.invalid/",)},
    )

    assert "hunter2" not in path.read_text("utf-8")
    (event,) = events(path)
    assert event["message"] == "the token [hidden] is refused"
    assert event["command"] == ["--title", "[hidden]"]
    assert event["skipped"] == {"step": ["see https://example.invalid/"]}


def test_what_is_not_utf_8_is_recorded_all_the_same(path: Path) -> None:
    argument = b"caf\xe9".decode("utf-8", "surrogateescape")

    Journal(path, Redactor()).write("begin", command=[argument])
    Journal(path, Redactor()).write("begin", command=["caf\u00e9"])

    assert [event["command"] for event in events(path)] == [[argument], ["caf\u00e9"]]
    assert read_chain(path).problem is None


def test_a_line_for_which_there_is_no_room_leaves_nothing_behind(path: Path) -> None:
    journal = filled(path)
    whole = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + 50, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            journal.write("finished", says="x" * 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert path.read_bytes() == whole
    journal.write("end")
    assert read_chain(path).problem is None
