from __future__ import annotations

import av
import numpy as np
import pytest

from live_vlm_webui.sessions.scene_change import HEIGHT, WIDTH, difference, thumbnail
from live_vlm_webui.sessions.settings import DEFAULT_THRESHOLD

GENERATOR = np.random.default_rng(7)


def scene(seed=1):
    """A picture with structure at several sizes, as rooms have it."""
    generator = np.random.default_rng(seed)
    picture = np.full((360, 640, 3), 110.0)
    for size in (180, 60, 20):
        tiles = generator.normal(0, 28, (360 // size, -(-640 // size), 3))
        picture += np.kron(tiles, np.ones((size, size, 1)))[:, :640]
    return picture.clip(20, 215)


def thumbnail_of(picture, pixel_format="yuv420p"):
    rgb = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture.clip(0, 255).astype(np.uint8)), "rgb24")
    return thumbnail(rgb.reformat(format=pixel_format))


def with_visitor(picture, part):
    visited = picture.copy()
    side = int((part * 640 * 360) ** 0.5)
    visited[100 : 100 + side, 300 : 300 + side] = (200, 190, 180) if picture[100:200, 300:400].mean() < 110 else 15
    return visited


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p", "nv12", "rgb24", "gray", "yuv422p"])
def test_a_thumbnail_is_the_averaged_luma_of_any_pixel_format(pixel_format):
    picture = np.full((360, 640, 3), 30.0)
    picture[:, 320:] = 220.0

    small = thumbnail_of(picture, pixel_format)

    assert small.shape == (HEIGHT, WIDTH)
    assert small[:, :15].mean() == pytest.approx(30, abs=8)
    assert small[:, 17:].mean() == pytest.approx(220, abs=8)


def test_the_same_picture_does_not_differ():
    assert difference(thumbnail_of(scene()), thumbnail_of(scene())) == 0.0


@pytest.mark.parametrize(
    "flicker",
    [
        pytest.param(lambda picture: picture * 0.8, id="darker"),
        pytest.param(lambda picture: picture * 1.15, id="brighter"),
        pytest.param(lambda picture: picture * 0.85 + 30, id="hazier"),
        pytest.param(lambda picture: picture - 20, id="shifted"),
        pytest.param(lambda picture: picture + GENERATOR.normal(0, 10, picture.shape), id="noisy"),
    ],
)
def test_flicker_exposure_and_noise_are_no_change(flicker):
    assert difference(thumbnail_of(scene()), thumbnail_of(flicker(scene()))) < DEFAULT_THRESHOLD * 0.7


def test_somebody_who_enters_is_a_change():
    assert difference(thumbnail_of(scene()), thumbnail_of(with_visitor(scene(), 0.05))) > DEFAULT_THRESHOLD


def test_somebody_who_enters_while_the_light_flickers_is_a_change():
    visited = with_visitor(scene(), 0.05) * 0.85

    assert difference(thumbnail_of(scene()), thumbnail_of(visited)) > DEFAULT_THRESHOLD


def test_more_of_a_change_is_a_greater_difference():
    before = thumbnail_of(scene())
    found = [difference(before, thumbnail_of(with_visitor(scene(), part))) for part in (0.01, 0.05, 0.2)]

    assert found == sorted(found)
    assert found[0] > 0


def test_another_scene_is_a_great_change():
    assert difference(thumbnail_of(scene(1)), thumbnail_of(scene(2))) > 0.4


def test_light_switched_off_is_a_change():
    assert difference(thumbnail_of(scene()), thumbnail_of(scene() * 0.08)) > 0.3


def test_light_switched_on_before_a_wall_without_structure_is_a_change():
    dark, light = np.full((360, 640, 3), 16.0), np.full((360, 640, 3), 200.0)

    assert difference(thumbnail_of(dark), thumbnail_of(light)) > 0.3


@pytest.mark.parametrize(("before", "after"), [(0, 0), (255, 255), (0, 255), (255, 0)])
def test_pictures_without_any_structure_can_be_compared(before, after):
    flat = [thumbnail_of(np.full((360, 640, 3), float(level))) for level in (before, after)]

    assert 0.0 <= difference(*flat) <= 1.0


def test_a_frame_smaller_than_a_thumbnail_can_be_looked_at():
    assert thumbnail_of(np.full((2, 2, 3), 80.0)).shape == (HEIGHT, WIDTH)
