"""Numbers with their nouns."""

from __future__ import annotations

from releaser.core.counting import count_of


def test_one_thing_is_named_by_the_noun_for_one() -> None:
    assert [count_of(number, "entry", "entries") for number in (0, 1, 2)] == ["0 entries", "1 entry", "2 entries"]
    assert [count_of(number, "line") for number in (1, 1200)] == ["1 line", "1,200 lines"]
