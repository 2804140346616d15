from __future__ import annotations

from importlib.resources import files

from live_vlm_webui.describer.vocabulary import Vocabulary

IMAGENET = (
    files("live_vlm_webui.describer").joinpath("data").joinpath("imagenet-labels.txt").read_text("utf-8").splitlines()
)


def labels(vocabulary: Vocabulary, name: str) -> set[str]:
    return {IMAGENET[number] for number in vocabulary.by_name[name].tagger_classes}


def test_every_class_of_the_detector_has_a_word(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.detected) == 80
    assert vocabulary.detected[0].phrase == "a person"
    assert vocabulary.detected[15].phrase == "a cat"
    assert vocabulary.detected[79].phrase == "a toothbrush"


def test_the_tagger_has_a_thousand_classes_and_none_of_them_two_words(vocabulary: Vocabulary) -> None:
    assert len(IMAGENET) == 1000
    numbers = [number for thing in vocabulary.things for number in thing.tagger_classes]
    assert len(numbers) == len(set(numbers))
    assert set(numbers) <= set(range(1000))


def test_breeds_and_makes_share_a_word(vocabulary: Vocabulary) -> None:
    assert {"Chihuahua", "Siberian Husky", "Standard Poodle"} < labels(vocabulary, "dog")
    assert labels(vocabulary, "cat") == set(IMAGENET[281:286])
    assert labels(vocabulary, "motorcycle") == {"moped", "motor scooter"}
    assert {"church", "palace", "bell tower"} < labels(vocabulary, "building")


def test_what_the_tagger_calls_patterns_is_never_said(vocabulary: Vocabulary) -> None:
    said = {IMAGENET[number] for thing in vocabulary.things for number in thing.tagger_classes}
    assert not said & {"bubble", "maze", "crossword", "spotlight", "window screen", "nematode", "website", "menu"}


def test_no_name_stands_twice(vocabulary: Vocabulary) -> None:
    assert len(vocabulary.by_name) == len(vocabulary.things)


def test_a_phrase_is_a_name_with_its_article(vocabulary: Vocabulary) -> None:
    assert vocabulary.by_name["elephant"].phrase == "an elephant"
    assert vocabulary.by_name["bread"].phrase == "bread"
