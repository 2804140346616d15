from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from live_vlm_webui.describer.belief import Seen
from live_vlm_webui.describer.change import compare
from live_vlm_webui.describer.scene import Scene

See = Callable[..., Seen]
MakeScene = Callable[..., Scene]


def test_nothing_differs_from_itself(see: See, scene: MakeScene) -> None:
    same = scene(see("cat"), see("dog", 0.7, 0.1, 0.9, 0.3))
    change = compare(same, same)
    assert not change
    assert change.stirred == ()


def test_what_was_not_there_has_appeared_and_the_reverse_is_gone(see: See, scene: MakeScene) -> None:
    cat, dog = see("cat"), see("dog", 0.7, 0.1, 0.9, 0.3)
    change = compare(scene(cat), scene(cat, dog))
    assert (change.appeared, change.gone) == ((dog,), ())
    change = compare(scene(cat, dog), scene(cat))
    assert (change.appeared, change.gone) == ((), (dog,))


def test_what_is_only_harder_to_see_is_not_gone(see: See, scene: MakeScene) -> None:
    cat = see("cat")
    faint = see("cat", 0.42, 0.3, 0.62, 0.7, score=0.35)
    assert not compare(scene(cat), scene(faint=(faint,)))
    assert not compare(scene(faint=(faint,)), scene(cat))


def test_what_is_taken_for_something_else_has_not_appeared(see: See, scene: MakeScene) -> None:
    assert not compare(scene(see("cat")), scene(see("dog")))
    assert not compare(scene(see("horse", rival="dog")), scene(see("dog")))


@pytest.mark.parametrize(
    ("edges", "directions"),
    [
        ((0.55, 0.3, 0.75, 0.7), ("right",)),
        ((0.25, 0.3, 0.45, 0.7), ("left",)),
        ((0.4, 0.1, 0.6, 0.5), ("up",)),
        ((0.25, 0.45, 0.45, 0.85), ("left", "down")),
        ((0.35, 0.2, 0.65, 0.8), ("nearer",)),
        ((0.44, 0.4, 0.56, 0.6), ("farther",)),
    ],
)
def test_what_moved_and_where_to(
    see: See, scene: MakeScene, edges: tuple[float, float, float, float], directions: tuple[str, ...]
) -> None:
    change = compare(scene(see("cat")), scene(see("cat", *edges)))
    assert [move.directions for move in change.moved] == [directions]
    assert (change.appeared, change.gone) == ((), ())


def test_small_shifts_are_no_movement(see: See, scene: MakeScene) -> None:
    assert not compare(scene(see("cat")), scene(see("cat", 0.45, 0.33, 0.65, 0.73)))


def test_of_two_alike_the_nearest_is_the_same_one(see: See, scene: MakeScene) -> None:
    left, right = see("cat", 0.1, 0.4, 0.2, 0.6), see("cat", 0.7, 0.4, 0.8, 0.6)
    assert not compare(scene(left, right), scene(right, left))


def test_a_thing_far_away_is_another_one(see: See, scene: MakeScene) -> None:
    change = compare(scene(see("cat", 0, 0, 0.1, 0.1)), scene(see("cat", 0.9, 0.9, 1, 1)))
    assert (len(change.appeared), len(change.gone), change.moved) == (1, 1, ())


def test_another_view_says_nothing_of_things(see: See, scene: MakeScene) -> None:
    change = compare(scene(see("cat"), picture=1), scene(see("dog", 0.7, 0.1, 0.9, 0.3), picture=2))
    assert change.another_view
    assert (change.appeared, change.gone) == ((), ())


def test_a_picture_that_goes_black_is_another_view_and_darker(scene: MakeScene) -> None:
    change = compare(scene(picture=1), scene(picture=np.zeros((16, 16), np.float32)))
    assert (change.another_view, change.light) == (True, "darker")


def test_bare_surfaces_of_one_tone_are_one_view(scene: MakeScene) -> None:
    grey, white = np.full((16, 16), 100, np.float32), np.full((16, 16), 200, np.float32)
    assert not compare(scene(picture=grey), scene(picture=grey + 5))
    assert compare(scene(picture=grey), scene(picture=white)).another_view


@pytest.mark.parametrize(("step", "light"), [(-40, "darker"), (40, "brighter"), (10, "")])
def test_light(scene: MakeScene, step: float, light: str) -> None:
    picture = np.random.default_rng(1).uniform(50, 200, (16, 16)).astype(np.float32)
    change = compare(scene(picture=picture), scene(picture=picture + step))
    assert (change.light, change.another_view, change.stirred) == (light, False, ())


def test_where_something_stirred(scene: MakeScene) -> None:
    picture = np.random.default_rng(1).uniform(50, 200, (16, 16)).astype(np.float32)
    after = picture.copy()
    after[:, 12:] = 125
    assert compare(scene(picture=picture), scene(picture=after)).stirred == ("right",)
