from __future__ import annotations

import numpy as np
import pytest

from live_vlm_webui.describer.boxes import Box
from live_vlm_webui.describer.photometry import Light, backlit, blur, colours, light, luma


def plain(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((90, 160, 3), (red, green, blue), np.uint8)


def checks(size: int, low: int = 0, high: int = 255) -> np.ndarray:
    y, x = np.mgrid[:120, :160]
    return np.where(((y // size + x // size) % 2)[..., None] == 1, high, low).astype(np.uint8).repeat(3, axis=2)


@pytest.mark.parametrize(
    ("mean", "word"),
    [
        (5, "very dark"),
        (35, "dark"),
        (70, "rather dark"),
        (120, "normal"),
        (210, "bright"),
        (240, "very bright"),
        (255, "very bright"),
    ],
)
def test_brightness_in_a_word(mean: float, word: str) -> None:
    assert Light(mean, 0, plain=False, soft=False, few_tones=False).brightness == word


def test_one_surface_is_plain_and_a_pattern_is_not() -> None:
    assert light(luma(plain(90, 90, 90))).plain
    assert not light(luma(checks(20))).plain


def test_white_areas_count_as_overexposed() -> None:
    assert light(luma(checks(20))).overexposed == pytest.approx(0.5, abs=0.02)
    assert light(luma(checks(20, high=200))).overexposed == 0


def test_a_blurred_picture_is_soft_and_the_same_sharp_is_not() -> None:
    noise = np.random.default_rng(1).uniform(0, 255, (120, 160)).astype(np.float32)
    smooth = noise
    for _ in range(4):
        for axis in (0, 1):
            smooth = sum(np.roll(smooth, step, axis) for step in range(-4, 5)) / 9
    assert not light(noise).soft
    assert light(smooth).soft
    assert 0 <= blur(noise) < blur(smooth) <= 1


def test_two_tones_are_no_photograph() -> None:
    noise = np.random.default_rng(1).uniform(0, 255, (120, 160)).astype(np.float32)
    assert light(luma(checks(20))).few_tones
    assert not light(noise).few_tones


def test_dark_before_bright_is_backlit_and_the_reverse_is_not() -> None:
    values = np.full((100, 100), 220, np.float32)
    values[20:80, 30:70] = 20
    assert backlit(values, Box(0.3, 0.2, 0.7, 0.8))
    assert not backlit(255 - values, Box(0.3, 0.2, 0.7, 0.8))
    assert not backlit(values, Box(0, 0, 1, 1))
    assert not backlit(values, Box(0.5, 0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("pixel", "name"),
    [
        ((220, 20, 20), "red"),
        ((240, 130, 20), "orange"),
        ((120, 70, 20), "brown"),
        ((235, 225, 40), "yellow"),
        ((30, 160, 40), "green"),
        ((20, 150, 140), "blue-green"),
        ((30, 60, 200), "blue"),
        ((130, 40, 200), "purple"),
        ((240, 60, 180), "pink"),
        ((220, 190, 150), "beige"),
        ((250, 180, 180), "pink"),
    ],
)
def test_colours_have_the_names_that_people_give_them(pixel: tuple[int, int, int], name: str) -> None:
    assert [colour.name for colour in colours(plain(*pixel))] == [name]


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_picture_without_colour_is_in_shades_of_grey(level: int) -> None:
    assert [colour.name for colour in colours(plain(level, level, level))] == ["shades of grey"]


def test_the_largest_share_comes_first() -> None:
    picture = plain(30, 60, 200)
    picture[:, :50] = (220, 20, 20)
    assert [colour.name for colour in colours(picture)] == ["blue", "red"]


def test_small_shares_are_not_named() -> None:
    picture = plain(30, 60, 200)
    picture[:, :10] = (220, 20, 20)
    assert [colour.name for colour in colours(picture)] == ["blue"]
