"""Counts and places in pictures put together from photographs, and what changed from one picture to the next."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import simplejpeg

from live_vlm_webui.describer.describer import Describer
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import Question

Photograph = Callable[[str], np.ndarray]
Beside = Callable[..., np.ndarray]
Ask = Callable[..., str]
Tell = Callable[..., Awaitable[str]]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("astronaut.png", "chelsea.png"), ("a cat on the right", "a person on the left")),
        (("chelsea.png", "astronaut.png"), ("a cat on the left", "a person on the right")),
        (("motorcycle_left.png", "motorcycle_right.png"), ("two motorcycles, one on the left and one on the right",)),
        (("camera.png", "camera.png", "camera.png"), ("three people, one on the left, one in the middle and one on",)),
        (("coffee.png", "chelsea.png"), ("a cat on the right", "a cup on the left")),
        (("grass.png", "chelsea.png"), ("a cat on the right",)),
    ],
)
def test_things_are_counted_and_placed(
    photograph: Photograph, beside: Beside, ask: Ask, names: tuple[str, ...], words: tuple[str, ...]
) -> None:
    said = ask(beside(*(photograph(name) for name in names)))
    assert [word for word in words if word not in said] == []


def test_a_robot_hears_of_what_stands_where(photograph: Photograph, beside: Beside, ask: Ask) -> None:
    picture = beside(photograph("chelsea.png"), photograph("camera.png"))
    said = ask(picture, prompt="You are the eyes of a small robot.")
    left, _, right = said.split(".")[0].split("; ")
    assert left.startswith("Left: a cat")
    assert "person" not in left
    assert right.startswith("right: a person")


@pytest.fixture
async def tell() -> AsyncIterator[Tell]:
    """What one session is told about a row of pictures, one question each."""
    with ThreadPoolExecutor(1) as executor:
        model = Describer(executor).model()

        async def tell(*pictures: np.ndarray, prompt: str = "What has changed?") -> str:
            question = Question(
                prompt,
                tuple(
                    Picture(
                        simplejpeg.encode_jpeg(np.ascontiguousarray(one), 85, colorspace="RGB"),
                        one.shape[1],
                        one.shape[0],
                    )
                    for one in pictures
                ),
                300,
            )
            return "".join([delta.text async for delta in model.answer(question)])

        yield tell
        await model.close()


def on(ground: np.ndarray, image: np.ndarray, left: int) -> np.ndarray:
    """``image`` before ``ground``, ``left`` pixels from its left side."""
    result = ground.copy()
    result[60 : 60 + image.shape[0], left : left + image.shape[1]] = image
    return result


@pytest.fixture
def ground(photograph: Photograph, beside: Beside) -> np.ndarray:
    return beside(photograph("brick.png"), photograph("brick.png"), height=400)


@pytest.fixture
def cat(photograph: Photograph, beside: Beside) -> np.ndarray:
    return beside(photograph("chelsea.png"), height=240)


async def test_a_cat_comes_moves_and_goes(tell: Tell, ground: np.ndarray, cat: np.ndarray) -> None:
    said = [await tell(picture) for picture in (ground, on(ground, cat, 20), on(ground, cat, 220), ground)]
    assert said[0].startswith("I have no earlier picture")
    assert "a cat has appeared on the left" in said[1]
    assert "the cat has moved to the right" in said[2]
    assert "a cat in the middle is no longer seen" in said[3]


async def test_a_picture_that_stays_has_no_changes(tell: Tell, photograph: Photograph) -> None:
    for name in ("camera.png", "coffee.png", "motorcycle_left.png"):
        random = np.random.default_rng(1)
        await tell(photograph(name))
        noisy = np.clip(photograph(name) + random.normal(0, 4, photograph(name).shape), 0, 255).astype(np.uint8)
        assert "I see no change" in await tell(noisy)


async def test_two_eyes_see_the_same_things(tell: Tell, photograph: Photograph) -> None:
    await tell(photograph("motorcycle_left.png"))
    said = await tell(photograph("motorcycle_right.png"))
    assert "appeared" not in said
    assert "no longer" not in said


async def test_light_that_goes_out_is_told(tell: Tell, photograph: Photograph) -> None:
    bright = photograph("coffee.png")
    await tell(bright)
    assert "the picture has become darker" in await tell((bright * 0.3).astype(np.uint8))
    assert "the picture has become brighter" in await tell(bright)


async def test_another_camera_is_another_view(tell: Tell, photograph: Photograph) -> None:
    await tell(photograph("coffee.png"))
    said = await tell(photograph("camera.png"), prompt="Describe the scene.")
    assert "the view has changed completely" in said


async def test_pictures_of_one_question_show_motion(tell: Tell, ground: np.ndarray, cat: np.ndarray) -> None:
    steps = [on(ground, cat, left) for left in (20, 90, 160, 220)]
    said = await tell(*steps, prompt="These frames follow each other. Say in one sentence what happens in them.")
    assert said.startswith("From the first to the last of these 4 pictures: the cat has moved to the right.")
