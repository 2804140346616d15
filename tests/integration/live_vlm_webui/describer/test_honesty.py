"""Pictures of nothing in particular, poor pictures, and questions that it cannot answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Photograph = Callable[[str], np.ndarray]
Claims = Callable[[np.ndarray], list[dict[str, Any]]]
Ask = Callable[..., str]
SHAPE = (360, 640)


def smooth(values: np.ndarray, width: int) -> np.ndarray:
    """Blurred by a box of ``width`` pixels, three times."""
    for _ in range(3):
        for axis in (0, 1):
            sums = np.cumsum(np.concatenate([values, values.take(range(width), axis)], axis), axis, dtype=np.float64)
            length = values.shape[axis]
            values = (sums.take(range(width, width + length), axis) - sums.take(range(length), axis)) / width
    return values


def stretched(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return ((values - low) / (high - low) * 255).astype(np.uint8)


def made(kind: str, random: np.random.Generator) -> np.ndarray:
    """A picture in which there is nothing."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    if kind == "coloured noise":
        return random.integers(0, 256, (*SHAPE, 3), np.uint8)
    if kind == "grey noise":
        return np.clip(128 + random.normal(0, 40, (*SHAPE, 1)), 0, 255).astype(np.uint8).repeat(3, 2)
    if kind.startswith("blobs"):
        return stretched(smooth(random.normal(0, 1, (*SHAPE, 3)), int(kind.split()[1])))
    if kind == "clouds":
        frequency = np.hypot(np.fft.fftfreq(SHAPE[0])[:, None], np.fft.fftfreq(SHAPE[1])[None])
        frequency[0, 0] = 1
        return stretched(np.fft.ifft2(np.fft.fft2(random.normal(0, 1, SHAPE)) / frequency**1.5).real)[..., None].repeat(
            3, 2
        )
    if kind == "stripes":
        angle, pitch = random.uniform(0, np.pi), random.uniform(0.05, 0.5)
        return stretched(np.sin(pitch * (x * np.cos(angle) + y * np.sin(angle))))[..., None].repeat(3, 2)
    if kind == "rectangles":
        image = np.full((*SHAPE, 3), random.integers(0, 256, 3), np.uint8)
        for _ in range(14):
            top, left = random.integers(0, 300), random.integers(0, 600)
            high, wide = random.integers(10, 200, 2)
            image[top : top + high, left : left + wide] = random.integers(0, 256, 3)
        return image
    if kind == "gradient":
        return (
            np.linspace(random.integers(0, 100, 3), random.integers(155, 256, 3), SHAPE[1])
            .astype(np.uint8)[None]
            .repeat(SHAPE[0], 0)
        )
    return np.full((*SHAPE, 3), random.integers(0, 256, 3), np.uint8)


KINDS = (
    "coloured noise",
    "grey noise",
    "blobs 5",
    "blobs 21",
    "blobs 61",
    "clouds",
    "stripes",
    "rectangles",
    "gradient",
    "one colour",
)


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_nothing_it_sees_nothing(claims: Claims, kind: str) -> None:
    random = np.random.default_rng(KINDS.index(kind))
    assert [claims(made(kind, random)) for _ in range(3)] == [[], [], []]


def test_of_nothing_it_says_that_it_knows_nothing(ask: Ask) -> None:
    noise = made("coloured noise", np.random.default_rng(77))
    for prompt in ("Describe the scene.", "List the objects.", "What do you see?", "Describe it in one sentence."):
        assert "I recognise nothing in this picture." in ask(noise, prompt=prompt)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (3, "the whole picture is dark"),
        (128, "the whole picture has one tone"),
        (250, "the whole picture has one tone"),
    ],
)
def test_a_covered_or_dazzled_camera_is_told(ask: Ask, level: int, words: str) -> None:
    said = ask(np.full((*SHAPE, 3), level, np.uint8))
    assert "almost nothing to see" in said
    assert words in said


@pytest.mark.parametrize("name", ["astronaut.png", "coffee.png", "chelsea.png", "motorcycle_left.png"])
def test_a_blurred_photograph_is_called_so(photograph: Photograph, ask: Ask, name: str) -> None:
    image = photograph(name)
    assert "without sharp detail" in ask(smooth(image.astype(np.float64), 7).astype(np.uint8))
    assert "without sharp detail" not in ask(image)


@pytest.mark.parametrize(("factor", "words"), [(0.16, "very dark"), (0.3, "dark"), (1.0, "")])
def test_a_darkened_photograph_is_called_dark(photograph: Photograph, ask: Ask, factor: float, words: str) -> None:
    said = ask((photograph("coffee.png") * factor).astype(np.uint8))
    assert (f"The picture is {words}" in said) if words else ("dark" not in said)


def test_an_overexposed_photograph_is_called_so(photograph: Photograph, ask: Ask) -> None:
    said = ask(np.clip(photograph("coffee.png") * 3.5 + 60, 0, 255).astype(np.uint8))
    assert "pure white in large parts" in said


@pytest.mark.parametrize(
    "prompt",
    [
        "Why is the cat looking like that?",
        "What brand is the motorcycle?",
        "How does the animal feel?",
        "Write a poem about this.",
        "Is the stove on?",
        "Was siehst du?",
    ],
)
def test_a_free_question_is_told_to_need_a_vlm_and_is_not_answered(
    photograph: Photograph, ask: Ask, prompt: str
) -> None:
    said = ask(photograph("chelsea.png"), prompt=prompt)
    assert "not a vision language model" in said
    assert "cannot answer open questions" in said
    assert "I see a cat" in said


PROMPTS = (
    "Describe the scene.",
    "List the objects.",
    "How many people are there? Name anything dangerous.",
    "You are the eyes of a small robot.",
    "Read all text.",
    "Are you a vision language model?",
    "Which model are you?",
    "Answer in JSON.",
)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_it_never_calls_itself_a_vlm(photograph: Photograph, ask: Ask, prompt: str) -> None:
    said = ask(photograph("camera.png"), prompt=prompt)
    for name in ("vision language model", "VLM"):
        for before in said.split(name)[:-1]:
            assert before.endswith(("not a ", "needs a ", "or a ", "use a "))


def test_presence_is_answered_truthfully(photograph: Photograph, ask: Ask) -> None:
    cat, coffee = photograph("chelsea.png"), photograph("coffee.png")
    assert ask(cat, prompt="Is there a cat?").startswith("I see one cat")
    assert ask(cat, prompt="Is there a dog?").startswith("I see no dog; I may have missed one.")
    assert ask(coffee, prompt="Is there a cat?").startswith("I see no cat; I may have missed one.")
    assert ask(photograph("camera.png"), prompt="How many people are there?").startswith("I see one person")


def test_json_can_be_read_by_programs(photograph: Photograph, ask: Ask) -> None:
    prompt = (
        'Answer with JSON alone: {"scene": "...", "objects": [{"name": "..."}], "people": 0, "cats": 0, "mood": ""}'
    )
    result = json.loads(ask(photograph("camera.png"), prompt=prompt))
    assert (result["people"], result["cats"], result["mood"]) == (1, 0, None)
    assert [one["name"] for one in result["objects"]] == ["person", "tripod"]
