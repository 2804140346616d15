from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

import live_vlm_webui
from live_vlm_webui.describer.questions import Kind, understood
from live_vlm_webui.describer.vocabulary import Vocabulary

WORDS = Path(live_vlm_webui.__file__).parent / "static" / "words"


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("Describe what you see in one or two sentences.", Kind.SCENE),
        ("Describe this picture in detail.", Kind.SCENE),
        ("What do you see?", Kind.SCENE),
        ("Write a caption for this image.", Kind.SCENE),
        ("List all objects you can see in this image, separated by commas.", Kind.OBJECTS),
        ("What is in the picture?", Kind.OBJECTS),
        ("Name anything that is dangerous.", Kind.PEOPLE),
        ("Is anyone in the room?", Kind.PEOPLE),
        ("Read and transcribe any text visible in the image.", Kind.TEXT),
        ("What does the OCR give?", Kind.TEXT),
        ("You steer a robot: say what is left, ahead and right.", Kind.NAVIGATION),
        ("What has changed?", Kind.CHANGE),
        ('Answer as {"people": 0}', Kind.STRUCTURED),
        ("Answer in JSON with a description of the scene.", Kind.STRUCTURED),
    ],
)
def test_what_it_can_answer_is_recognised(vocabulary: Vocabulary, prompt: str, kind: Kind) -> None:
    assert understood(prompt, vocabulary).kind is kind


@pytest.mark.parametrize(
    "prompt",
    [
        "Why is he laughing?",
        "What brand is the laptop?",
        "How does he feel?",
        "Describe the person's activity and what they are doing.",
        "Describe the facial expressions and emotions of people visible.",
        "Is there anything unusual or concerning in this scene?",
        "Who is this?",
        "What colour is the car?",
        "What happens here?",
        "Write a poem about what you see.",
        "Ist da eine Katze?",
        "猫はいますか",
        "hello",
        "",
        "   ",
    ],
)
def test_free_questions_are_known_as_such(vocabulary: Vocabulary, prompt: str) -> None:
    assert understood(prompt, vocabulary).free


@pytest.mark.parametrize(
    "prompt",
    [
        "Describe what you see in one or two sentences.",
        "List the objects that you see, one per line, with how many there are and where in the picture they are.",
        "Read all text in the picture, exactly as it is written, line by line. If there is none, say so.",
        "What moves, and where to?",
        "Is there a cat?",
    ],
)
def test_what_it_can_answer_whole_is_not_free(vocabulary: Vocabulary, prompt: str) -> None:
    assert not understood(prompt, vocabulary).free


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("Is there a cat?", "cat"),
        ("Is there a cat in the picture?", "cat"),
        ("are there any dogs here", "dog"),
        ("How many people are there?", "person"),
        ("How many cars do you see in this image?", "car"),
        ("Can you see a computer mouse?", "computer mouse"),
        ("Count the knives.", "knife"),
    ],
)
def test_a_thing_that_is_asked_for_is_known_by_its_name(vocabulary: Vocabulary, prompt: str, name: str) -> None:
    request = understood(prompt, vocabulary)
    assert request.kind is Kind.PRESENCE
    assert request.thing
    assert request.thing.name == name


@pytest.mark.parametrize(
    "prompt",
    [
        "Is there a unicorn?",
        "Is there a person wearing a red hat?",
        "Is there a cat and how does it feel?",
        "How many cats are asleep?",
    ],
)
def test_more_than_presence_is_not_taken_for_it(vocabulary: Vocabulary, prompt: str) -> None:
    assert understood(prompt, vocabulary).kind is not Kind.PRESENCE


def test_a_short_answer_is_given_where_one_is_wanted(vocabulary: Vocabulary) -> None:
    assert understood("Describe the scene in one sentence.", vocabulary).brief
    assert not understood("Describe the scene.", vocabulary).brief


@pytest.mark.parametrize("language", sorted(path.stem for path in WORDS.glob("*.json")))
def test_each_preset_of_the_page_is_recognised_in_each_language(vocabulary: Vocabulary, language: str) -> None:
    page = json.loads((WORDS / f"{language}.json").read_text("utf-8"))["page"]
    prompts = {key.split(".")[1]: text for key, text in page.items() if re.fullmatch(r"preset\.\w+\.prompt", key)}
    assert {name: understood(text, vocabulary).kind for name, text in prompts.items()} == {
        "scene": Kind.SCENE,
        "objects": Kind.OBJECTS,
        "people": Kind.PEOPLE,
        "text": Kind.TEXT,
        "robot": Kind.NAVIGATION,
        "happens": Kind.CHANGE,
        "json": Kind.STRUCTURED,
    }
    english = json.loads((WORDS / "en.json").read_text("utf-8"))["page"]
    for name, text in prompts.items():
        assert understood(text, vocabulary) == understood(english[f"preset.{name}.prompt"], vocabulary), name


@pytest.mark.parametrize("piece", ["a ", "is there a ", '{"', "how many in on the this ", "\n", "{" * 50])
def test_long_prompts_take_no_time(vocabulary: Vocabulary, piece: str) -> None:
    start = time.thread_time()
    understood(piece * (100_000 // len(piece)), vocabulary)
    assert time.thread_time() - start < 1
