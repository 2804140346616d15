from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from live_vlm_webui.describer.belief import Seen, Tag
from live_vlm_webui.describer.change import Change
from live_vlm_webui.describer.reading import Reading
from live_vlm_webui.describer.scene import Scene
from live_vlm_webui.describer.structured import keys, structured, wants_text
from live_vlm_webui.describer.vocabulary import Vocabulary

See = Callable[..., Seen]
MakeScene = Callable[..., Scene]
PRESET = (
    'Answer with JSON alone, without a code fence: {"scene": "...", "objects": [{"name": "...", "count": 1, "place": '
    '"..."}], "people": 0, "text": "..."}'
)


@pytest.fixture
def fill(vocabulary: Vocabulary) -> Callable[..., dict[str, Any]]:
    """The object that answers a prompt."""

    def fill(
        prompt: str, scene: Scene, change: Change | None = None, reading: Reading | None = None, max_tokens: int = 500
    ) -> dict[str, Any]:
        text = structured(prompt, scene, change, reading, vocabulary, max_tokens=max_tokens)
        result = json.loads(text)
        assert isinstance(result, dict)
        return result

    return fill


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (PRESET, ["scene", "objects", "people", "text"]),
        ('{"a": {"b": 1, "c": {"d": 2}}, "e": [{"f": 3}]} and then {"g": 1}', ["a", "e"]),
        ('{"cut": tru', ["cut"]),
        ("JSON please", []),
        ('}}} "x": {"y": 1}', []),
    ],
)
def test_the_keys_are_those_of_the_first_object(prompt: str, expected: list[str]) -> None:
    assert list(keys(prompt)) == expected


def test_the_keys_that_are_asked_for_are_given(see: See, scene: MakeScene, fill: Callable[..., Any]) -> None:
    people = [see("person", at, 0, at + 0.2, 1) for at in (0.8, 0.0)]
    assert fill(PRESET, scene(*people, see("horse", sure=False, rival="dog")), reading=Reading(("EXIT",))) == {
        "scene": "I see two people, one on the left and one on the right and a horse or a dog (I am not sure which)"
        " in the middle. The picture is mainly blue.",
        "objects": [
            {"name": "person", "count": 2, "place": "on the left, on the right", "sure": True},
            {"name": "horse", "count": 1, "place": "in the middle", "sure": False, "or": "dog"},
        ],
        "people": 2,
        "text": "EXIT",
        "answered_by": "built-in describer",
    }


def test_without_an_example_it_gives_what_it_has(scene: MakeScene, fill: Callable[..., Any]) -> None:
    assert fill("Answer in JSON.", scene()) == {
        "scene": "I recognise nothing in this picture. The picture is mainly blue.",
        "objects": [],
        "people": 0,
        "light": "normal",
        "colours": ["blue"],
        "changes": None,
        "certainty": "nothing",
        "answered_by": "built-in describer",
    }


def test_what_it_cannot_know_is_null(see: See, scene: MakeScene, fill: Callable[..., Any]) -> None:
    result = fill('{"mood": "...", "hazard": true, "text": "...", "brand of the car": ""}', scene(see("car")))
    assert result == {
        "mood": None,
        "hazard": None,
        "text": None,
        "brand of the car": None,
        "answered_by": "built-in describer",
    }


@pytest.mark.parametrize(
    ("prompt", "value"),
    [
        ('{"cars": 0}', 1),
        ('{"car_count": 0}', 1),
        ('{"car": true}', True),
        ('{"car_present": 0}', True),
        ('{"has_dog": 0}', False),
        ('{"num_dogs": 0}', 0),
        ('{"computer mouse": false}', False),
        ('{"person_count": 0}', 0),
    ],
)
def test_a_key_that_names_a_thing_is_its_number_or_presence(
    see: See, scene: MakeScene, fill: Callable[..., Any], prompt: str, value: object
) -> None:
    result = fill(prompt, scene(see("car")))
    [got] = [value for key, value in result.items() if key != "answered_by"]
    assert got == value
    assert type(got) is type(value)


def test_what_is_not_sure_is_marked(
    see: See, scene: MakeScene, fill: Callable[..., Any], vocabulary: Vocabulary
) -> None:
    perhaps = Tag("a flower", 0.3, False, vocabulary.by_name["flower"])
    kind = Tag("an animal", 0.8, True, vocabulary.by_name["fox"])
    result = fill("json", scene(see("kite", sure=False), tags=(perhaps, kind)))
    assert [(one["name"], one["sure"]) for one in result["objects"]] == [
        ("kite", False),
        ("flower", False),
        ("an animal", True),
    ]
    assert result["certainty"] == "partly"


@pytest.mark.parametrize("max_tokens", [1, 2, 5, 20, 60])
def test_a_short_answer_is_still_valid(see: See, scene: MakeScene, vocabulary: Vocabulary, max_tokens: int) -> None:
    text = structured(
        PRESET, scene(see("person"), see("cat", 0, 0, 0.1, 0.1)), None, None, vocabulary, max_tokens=max_tokens
    )
    assert json.loads(text)["answered_by"] == "built-in describer"
    assert len(text.split()) <= max(3, max_tokens)


def test_keys_with_quotes_and_signs_stay_valid(scene: MakeScene, fill: Callable[..., Any]) -> None:
    assert "sch\\u00f6n <b>" in fill('{"sch\\u00f6n <b>": 1}', scene())


def test_text_is_read_only_if_there_is_a_place_for_it() -> None:
    assert wants_text(PRESET)
    assert not wants_text('{"people": 0}')
