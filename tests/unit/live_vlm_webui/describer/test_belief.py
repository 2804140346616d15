from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from live_vlm_webui.describer.belief import Seen, believed, likelihood
from live_vlm_webui.describer.boxes import Box, Detection
from live_vlm_webui.describer.vocabulary import Vocabulary

HERE = Box(0.1, 0.1, 0.5, 0.9)
THERE = Box(0.6, 0.1, 0.9, 0.9)
TABBY, EGYPTIAN_MAU, BEAGLE, WOLF, PIZZA = 281, 285, 162, 269, 963
COCO = {
    "person": 0,
    "bicycle": 1,
    "car": 2,
    "truck": 7,
    "cat": 15,
    "dog": 16,
    "horse": 17,
    "kite": 33,
    "pizza": 53,
    "chair": 56,
}

Believe = Callable[..., list[Seen]]


def box(name: str, score: float, place: Box = HERE) -> Detection:
    return Detection(COCO[name], score, place)


@pytest.fixture
def believe(vocabulary: Vocabulary) -> Believe:
    """What is believed of boxes, where the tagger says the given of every part of the picture."""

    def believe(*detections: Detection, tags: dict[int, float] | None = None, poor: bool = False) -> list[Seen]:
        likelihoods = np.zeros(1000, np.float32)
        for number, share in (tags or {}).items():
            likelihoods[number] = share
        return believed(detections, vocabulary, lambda _: likelihoods, poor=poor)

    return believe


def said(seen: list[Seen]) -> list[tuple[str, bool]]:
    return [(one.thing.name, one.sure) for one in seen]


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        (box("person", 0.65), [("person", True)]),
        (box("person", 0.64), []),
        (box("kite", 0.75), [("kite", True)]),
        (box("kite", 0.65), [("kite", False)]),
        (box("kite", 0.64), []),
        (box("cat", 0.75), [("cat", True)]),
        (box("cat", 0.65), [("cat", False)]),
    ],
)
def test_without_a_witness_065_counts(believe: Believe, detection: Detection, expected: list[tuple[str, bool]]) -> None:
    assert said(believe(detection)) == expected


def test_a_weaker_box_counts_if_the_same_class_is_also_seen_strongly(believe: Believe) -> None:
    assert said(believe(box("person", 0.9), box("person", 0.46, THERE))) == [("person", True), ("person", False)]
    assert said(believe(box("person", 0.9), box("chair", 0.46, THERE))) == [("person", True)]
    assert said(believe(box("chair", 0.7), box("chair", 0.46, THERE))) == [("chair", False)]
    assert said(believe(box("person", 0.9), box("person", 0.44, THERE))) == [("person", True)]


def test_a_weaker_box_counts_if_the_tagger_agrees(believe: Believe) -> None:
    assert said(believe(box("cat", 0.46), tags={TABBY: 0.3, EGYPTIAN_MAU: 0.4})) == [("cat", True)]
    assert said(believe(box("pizza", 0.46), tags={PIZZA: 0.5})) == [("pizza", True)]
    assert said(believe(box("pizza", 0.46), tags={PIZZA: 0.49})) == []
    assert said(believe(box("pizza", 0.44), tags={PIZZA: 0.9})) == []


def test_the_tagger_confirms_what_is_only_probable(believe: Believe) -> None:
    assert said(believe(box("pizza", 0.66))) == [("pizza", False)]
    assert said(believe(box("pizza", 0.66), tags={PIZZA: 0.3})) == [("pizza", True)]


def test_the_tagger_decides_between_cat_and_dog(believe: Believe) -> None:
    assert said(believe(box("dog", 0.7), tags={TABBY: 0.6})) == [("cat", True)]
    assert said(believe(box("cat", 0.5), tags={BEAGLE: 0.6})) == [("dog", True)]


def test_a_dog_of_many_possible_breeds_is_no_verdict(believe: Believe) -> None:
    many = dict.fromkeys(range(151, 251), 0.01)
    assert said(believe(box("cat", 0.76), tags=many)) == [("cat", True)]


def test_other_disputes_about_an_animal_name_both(believe: Believe) -> None:
    [horse] = believe(box("horse", 0.7), tags={BEAGLE: 0.6})
    assert (horse.thing.name, horse.sure, horse.rival and horse.rival.name) == ("horse", False, "dog")
    [dog] = believe(box("dog", 0.7), tags={WOLF: 0.6})
    assert (dog.thing.name, dog.sure, dog.rival and dog.rival.name) == ("dog", False, "wolf or wild dog")


def test_a_person_that_is_surely_an_animal_to_the_tagger_is_in_doubt(believe: Believe) -> None:
    [person] = believe(box("person", 0.7), tags={TABBY: 0.9})
    assert (person.sure, person.rival and person.rival.name) == (False, "cat")
    assert believe(box("person", 0.59), tags={TABBY: 0.9}) == []
    assert said(believe(box("person", 0.81), tags={TABBY: 0.9})) == [("person", True)]


def test_one_place_holds_one_thing(believe: Believe) -> None:
    assert said(believe(box("pizza", 0.9), box("kite", 0.85))) == [("pizza", True)]


def test_a_close_second_of_the_same_kind_is_named(believe: Believe) -> None:
    [car] = believe(box("car", 0.9), box("truck", 0.85))
    assert (car.thing.name, car.sure, car.rival and car.rival.name) == ("car", False, "truck")
    [car] = believe(box("car", 0.9), box("truck", 0.7))
    assert (car.sure, car.rival) == (True, None)


def test_a_part_of_a_thing_is_not_one_more(believe: Believe) -> None:
    assert said(believe(box("person", 0.9), box("person", 0.8, Box(0.2, 0.2, 0.4, 0.4)))) == [("person", True)]


def test_in_a_poor_picture_only_what_is_very_sure_is_said_outright(believe: Believe) -> None:
    assert said(believe(box("person", 0.79), poor=True)) == [("person", False)]
    assert said(believe(box("person", 0.81), poor=True)) == [("person", True)]
    assert said(believe(box("pizza", 0.6), tags={PIZZA: 0.9}, poor=True)) == []


def test_the_witness_is_asked_about_a_few_boxes_at_most(vocabulary: Vocabulary) -> None:
    asked: list[Box] = []

    def witness(place: Box) -> np.ndarray:
        asked.append(place)
        return np.zeros(1000, np.float32)

    crowd = [box("person", 0.6, Box(at / 40, 0, at / 40 + 0.02, 0.1)) for at in range(40)]
    assert believed(crowd, vocabulary, witness) == []
    assert len(asked) == 4


def test_a_word_is_as_likely_as_its_classes_together(vocabulary: Vocabulary) -> None:
    tags = np.zeros(1000, np.float32)
    tags[[442, 698]] = 0.2, 0.3
    assert likelihood(tags, vocabulary.by_name["building"], 0.5) == pytest.approx(0.5)
    assert likelihood(tags, vocabulary.by_name["kite"], 0) == 0


def test_one_class_of_an_animal_must_stand_out(vocabulary: Vocabulary) -> None:
    tags = np.zeros(1000, np.float32)
    tags[151:171] = 0.04
    assert likelihood(tags, vocabulary.by_name["dog"], 0.5) == 0
    tags[160] = 0.4
    assert likelihood(tags, vocabulary.by_name["dog"], 0.5) == 1
