from __future__ import annotations

import pytest

from live_vlm_webui.describer.boxes import Box, Detection, agreed, confirmed, suppress

LEFT_HALF = Box(0, 0, 0.5, 1)
RIGHT_HALF = Box(0.5, 0, 1, 1)


def test_overlap_is_intersection_over_union() -> None:
    assert LEFT_HALF.overlap(LEFT_HALF) == pytest.approx(1)
    assert LEFT_HALF.overlap(RIGHT_HALF) == 0
    assert LEFT_HALF.overlap(Box(0.25, 0, 0.75, 1)) == pytest.approx(1 / 3)


def test_boxes_without_area_overlap_nothing() -> None:
    assert Box(0.5, 0.5, 0.5, 0.5).overlap(LEFT_HALF) == 0


def test_of_boxes_of_one_class_on_one_place_the_surest_stays() -> None:
    weak = Detection(1, 0.5, Box(0, 0, 0.5, 0.9))
    strong = Detection(1, 0.9, LEFT_HALF)
    other_class = Detection(2, 0.4, LEFT_HALF)
    elsewhere = Detection(1, 0.3, RIGHT_HALF)
    assert suppress([weak, strong, other_class, elsewhere]) == [strong, other_class, elsewhere]


def test_what_the_mirror_image_shows_too_is_confirmed_at_the_mean() -> None:
    [both] = confirmed([Detection(1, 0.9, LEFT_HALF)], [Detection(1, 0.5, RIGHT_HALF)])
    assert both == Detection(1, 0.7, LEFT_HALF)


@pytest.mark.parametrize(
    "mirrored",
    [[], [Detection(1, 0.9, LEFT_HALF)], [Detection(2, 0.9, RIGHT_HALF)]],
    ids=["nothing there", "at the unmirrored place", "of another class"],
)
def test_what_the_mirror_image_does_not_show_is_dropped(mirrored: list[Detection]) -> None:
    assert confirmed([Detection(1, 0.9, LEFT_HALF)], mirrored) == []


def test_one_box_of_the_mirror_image_confirms_one_box() -> None:
    near_by = Box(0.02, 0, 0.52, 1)
    seen = [Detection(1, 0.9, LEFT_HALF), Detection(1, 0.8, near_by)]
    assert len(confirmed(seen, [Detection(1, 0.9, RIGHT_HALF)])) == 1


PLACE = Box(0.2, 0.2, 0.5, 0.9)
NEARLY = Box(0.21, 0.22, 0.5, 0.9)


def test_looks_that_agree_count_for_more_than_a_single_one() -> None:
    near, far = Detection(0, 0.47, PLACE), Detection(0, 0.71, NEARLY)
    farther = Detection(0, 0.66, NEARLY)
    (found,) = agreed([[near], [far], [farther]])
    assert found.score == pytest.approx((0.71 + 0.66) / 2)
    assert found.box == PLACE


def test_what_only_one_look_from_farther_away_shows_is_dropped() -> None:
    assert agreed([[], [Detection(0, 0.9, PLACE)], []]) == []


def test_what_the_first_look_shows_keeps_its_score_if_the_others_see_less() -> None:
    assert agreed([[Detection(0, 0.87, PLACE)], [Detection(0, 0.37, NEARLY)], []]) == [Detection(0, 0.87, PLACE)]
