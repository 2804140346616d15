from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from live_vlm_webui.describer.networks import BINS, Networks, decode_boxes

GRIDS = {8: 52, 16: 26, 32: 13}


def outputs(stride: int, cell: int, number: int, score: float, bins: tuple[int, int, int, int]) -> list[np.ndarray]:
    """NanoDet's outputs, in an order of their own, with one thing in them, whose four sides are sure of their bins."""
    scores = {one: np.zeros((1, grid * grid, 80), np.float32) for one, grid in GRIDS.items()}
    sides = {one: np.zeros((1, grid * grid, 4 * BINS), np.float32) for one, grid in GRIDS.items()}
    scores[stride][0, cell, number] = score
    for side, best in enumerate(bins):
        sides[stride][0, cell, side * BINS + best] = 50
    return [sides[32], scores[8], scores[32], sides[8], sides[16], scores[16]]


@pytest.mark.parametrize("stride", GRIDS)
def test_a_box_lies_around_its_cell(stride: int) -> None:
    grid = GRIDS[stride]
    row, column = 3, 5
    [(number, score, box)] = decode_boxes(outputs(stride, row * grid + column, 15, 0.9, (2, 1, 3, 4)))
    x, y = (column + 0.5) * stride, (row + 0.5) * stride
    assert (number, score) == (15, pytest.approx(0.9))
    assert box == pytest.approx((x - 2 * stride, y - stride, x + 3 * stride, y + 4 * stride))


def test_a_side_that_is_unsure_lies_at_the_mean_of_its_bins() -> None:
    made = outputs(8, 0, 0, 0.9, (0, 0, 0, 0))
    made[3][0, 0, :BINS] = 0
    [(_, _, (left, _, _, _))] = decode_boxes(made)
    assert left == pytest.approx(4 - 5 * 8)


def test_faint_scores_are_no_boxes() -> None:
    assert decode_boxes(outputs(8, 0, 0, 0.29, (1, 1, 1, 1))) == []


@pytest.mark.parametrize("shape", [(360, 640, 3), (640, 360, 3), (2, 700, 3), (9, 9, 3), (1, 1, 3)])
def test_pictures_of_every_shape_are_looked_at(networks: Networks, shape: tuple[int, int, int]) -> None:
    noise = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    assert all(0 <= edge <= 1 for one in networks.detect(noise) for edge in (one.box.left, one.box.bottom))
    likelihoods = networks.tag_carefully(noise)
    assert likelihoods.shape == (1000,)
    assert float(likelihoods.sum()) == pytest.approx(1, abs=1e-3)


def test_a_mirrored_picture_has_the_same_tags(networks: Networks) -> None:
    picture = np.random.default_rng(4).integers(0, 256, (224, 224, 3), np.uint8)
    assert networks.tag_carefully(picture) == pytest.approx(networks.tag_carefully(picture[:, ::-1]), abs=1e-3)


def test_threads_that_ask_at_the_same_time_load_them_once() -> None:
    networks = Networks()
    barrier = threading.Barrier(4)

    def load() -> int:
        barrier.wait(10)
        return id(networks.load())

    assert not networks.loaded
    with ThreadPoolExecutor(4) as threads:
        assert len({done.result() for done in [threads.submit(load) for _ in range(4)]}) == 1
    assert networks.loaded


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks()
