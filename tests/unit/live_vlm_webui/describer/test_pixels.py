from __future__ import annotations

import numpy as np
import pytest
import simplejpeg

from live_vlm_webui.describer.boxes import Box
from live_vlm_webui.describer.pixels import decoded, scaled, square_crops, window


def columns(height: int, width: int) -> np.ndarray:
    """Each column has its number as its value."""
    return np.broadcast_to(np.arange(width, dtype=np.uint8)[None, :, None], (height, width, 3)).copy()


def test_a_nearly_square_picture_has_one_crop() -> None:
    [crop] = square_crops(columns(100, 110))
    assert crop.shape == (100, 100, 3)
    assert crop[0, 0, 0] == 5


def test_a_wide_picture_is_looked_at_in_its_middle_and_at_both_ends() -> None:
    left, middle, right = square_crops(columns(90, 160))
    assert [crop.shape for crop in (left, middle, right)] == [(90, 90, 3)] * 3
    assert [int(crop[0, 0, 0]) for crop in (left, middle, right)] == [0, 35, 70]


def test_a_tall_picture_is_looked_at_in_its_middle_and_at_both_ends() -> None:
    crops = square_crops(columns(90, 160).transpose(1, 0, 2))
    assert [crop.shape for crop in crops] == [(90, 90, 3)] * 3


def test_a_window_is_a_square_around_its_box() -> None:
    cut = window(columns(100, 200), Box(0.5, 0.4, 0.6, 0.6))
    assert cut.shape == (22, 22, 3)
    assert int(cut[0, 0, 0]) == 99


@pytest.mark.parametrize("box", [Box(0, 0, 1, 1), Box(0.9, 0.9, 1, 1), Box(0, 0, 0, 0), Box(0, 0.45, 1, 0.5)])
def test_a_window_stays_inside_its_picture(box: Box) -> None:
    cut = window(columns(60, 200), box)
    assert cut.shape[0] == cut.shape[1] > 0
    assert cut.shape[0] <= 60


def test_scaling_down_keeps_the_mean() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (300, 500, 3), np.uint8)
    small = scaled(noise, 50, 30)
    assert small.shape == (30, 50, 3)
    assert float(small.mean()) == pytest.approx(float(noise.mean()), abs=2)


def test_red_stays_red_through_a_jpeg() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    pixels = decoded(simplejpeg.encode_jpeg(red, 95, colorspace="RGB"))
    assert pixels[8, 8, 0] > 240
    assert pixels[8, 8, 2] < 20


def test_what_is_no_jpeg_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(b"no picture")
