from __future__ import annotations

import json

import pytest

from releaser.rehearsal.durations import Durations, in_words


@pytest.fixture
def durations(tmp_path):
    return Durations(tmp_path / "state" / "rehearsals" / "demo.durations.json")


def test_before_the_first_rehearsal_nothing_is_known(durations):
    assert durations.last("full") is None


def test_the_last_duration_of_each_kind_is_kept(durations):
    durations.add("full", 220.04)
    durations.add("quick", 41)
    durations.add("full", 230)

    assert durations.last("full") == 230
    assert durations.last("quick") == 41
    assert json.loads(durations.path.read_text("utf-8")) == {"full": [220.0, 230], "quick": [41]}


def test_no_more_than_five_of_a_kind_are_kept(durations):
    for seconds in range(1, 100):
        durations.add("full", seconds)

    assert json.loads(durations.path.read_text("utf-8")) == {"full": [95, 96, 97, 98, 99]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe",
        b"[1, 2]",
        b"7",
        b'{"full": 12}',
        b'{"full": [12',
        b'{"full": ["12", null, true, -3, 0, NaN, Infinity, -Infinity, {}]}',
        b"[" * 100_000,
    ],
    ids=lambda content: repr(content[:24]),
)
def test_a_damaged_file_counts_as_empty_and_is_replaced(durations, content):
    durations.path.parent.mkdir(parents=True)
    durations.path.write_bytes(content)

    assert durations.last("full") is None
    durations.add("full", 60)
    assert durations.last("full") == 60


def test_what_is_no_duration_in_a_list_is_passed_over(durations):
    durations.path.parent.mkdir(parents=True)
    durations.path.write_text('{"full": [60, "soon", 1e999], "odd": {}, "long": [1, 2, 3, 4, 5, 6, 7]}', "utf-8")

    assert durations.last("full") == 60
    durations.add("quick", 30)
    assert json.loads(durations.path.read_text("utf-8")) == {"full": [60], "long": [3, 4, 5, 6, 7], "quick": [30]}


def test_a_file_that_cannot_be_read_counts_as_empty(durations):
    durations.path.mkdir(parents=True)

    assert durations.last("full") is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (48.4, "48 s"),
        (59.6, "1 min 0 s"),
        (220, "3 min 40 s"),
        (3599.4, "59 min 59 s"),
        (3599.9, "1 h 0 min"),
        (3901, "1 h 5 min"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds, words):
    assert in_words(seconds) == words
