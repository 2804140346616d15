from __future__ import annotations

import pytest

from live_vlm_webui.describer.grammar import listed, number, plural, sentence
from live_vlm_webui.describer.vocabulary import Vocabulary


@pytest.mark.parametrize(
    ("one", "many"),
    [("person", "people"), ("bus", "buses"), ("bench", "benches"), ("toothbrush", "toothbrushes"), ("bear", "bears"),
     ("toy", "toys"), ("berry", "berries"), ("sheep", "sheep"), ("scissors", "scissors"), ("knife", "knives")],
)  # fmt: skip
def test_more_than_one(one: str, many: str) -> None:
    assert plural(one) == many


def test_every_word_for_several_differs_from_one_unless_it_takes_no_article(vocabulary: Vocabulary) -> None:
    same = {thing.name for thing in vocabulary.things if plural(thing.name) == thing.name}
    assert same - {"sheep", "fish"} == {thing.name for thing in vocabulary.things if not thing.article}


def test_lists_and_numbers() -> None:
    assert [listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert [number(count) for count in (0, 1, 10, 11)] == ["no", "one", "ten", "11"]


def test_a_sentence_has_a_capital_and_ends() -> None:
    assert sentence("i see it") == "I see it."
    assert sentence("Is it?") == "Is it?"
