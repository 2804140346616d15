"""Compare two pictures of a camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_vlm_webui.describer.belief import Seen
    from live_vlm_webui.describer.boxes import Box
    from live_vlm_webui.describer.pixels import Floats
    from live_vlm_webui.describer.scene import Scene

Direction = Literal["left", "right", "up", "down", "nearer", "farther"]
Side = Literal["left", "centre", "right"]

SAME_THING = 0.3
"""The largest movement of an object's centre between two pictures, in picture widths, to count as the same object."""
MOVED = 0.08
GROWN = 1.5
STILL_THERE = 0.25
"""The overlap with a rejected box of its class at which an object does not count as gone (or new)."""
LIGHT_STEP = 20.0
ANOTHER_VIEW = 0.4
ENOUGH_AROUND = 0.25
"""The share of background from which the background alone decides whether the view has changed."""
FLAT = 4.0
"""Thumbnails with a smaller deviation cannot be correlated."""
FLAT_STEP = 30.0
STIRRED = 6.0
"""The mean change of luma in a third of the picture that counts as a change there."""


@dataclass(frozen=True)
class Move:
    """An object that has moved.

    Attributes:
        now: Its current place.
        directions: The directions of the movement in the picture.
    """

    now: Seen
    directions: tuple[Direction, ...]


@dataclass(frozen=True)
class Change:
    """The differences between two pictures.

    Attributes:
        another_view: Whether the pictures have little in common; the rest is then meaningless.
        light: ``brighter``, ``darker``, or empty.
        appeared: New objects.
        gone: Objects no longer seen.
        moved: Objects seen in both that have moved.
        stirred: Where the pictures differ, whatever the cause.
    """

    another_view: bool
    light: Literal["", "brighter", "darker"]
    appeared: tuple[Seen, ...]
    gone: tuple[Seen, ...]
    moved: tuple[Move, ...]
    stirred: tuple[Side, ...]

    def __bool__(self) -> bool:
        return bool(self.another_view or self.light or self.appeared or self.gone or self.moved)


def compare(before: Scene, after: Scene) -> Change:
    """Return what has changed in ``after``."""
    step = float(after.thumbnail.mean() - before.thumbnail.mean())
    light: Literal["", "brighter", "darker"] = "" if abs(step) < LIGHT_STEP else "brighter" if step > 0 else "darker"
    if _unlike(before, after):
        return Change(True, light, (), (), (), ())
    pairs = _pairs(before.seen, after.seen)
    known = {id(one) for pair in pairs for one in pair}
    moves = [Move(new, directions) for old, new in pairs if (directions := _directions(old.box, new.box))]
    return Change(
        another_view=False,
        light=light,
        appeared=tuple(one for one in after.seen if id(one) not in known and not _was_there(one, before)),
        gone=tuple(one for one in before.seen if id(one) not in known and not _was_there(one, after)),
        moved=tuple(moves),
        stirred=_stirred(before.thumbnail, after.thumbnail),
    )


def _unlike(before: Scene, after: Scene) -> bool:
    """Return whether the background, or the whole picture if the background is too small, has changed."""
    around = _around(before) & _around(after)
    if around.mean() < ENOUGH_AROUND:
        around[:] = True
    old, new = before.thumbnail[around], after.thumbnail[around]
    if min(float(old.std()), float(new.std())) < FLAT:
        cannot_be_likened = abs(float(old.std()) - float(new.std())) > FLAT
        return cannot_be_likened or abs(float(old.mean() - new.mean())) > FLAT_STEP
    return float(np.corrcoef(old, new)[0, 1]) < ANOTHER_VIEW


def _around(scene: Scene) -> NDArray[np.bool_]:
    """Return the mask of thumbnail cells without objects."""
    rows, columns = scene.thumbnail.shape
    around = np.ones((rows, columns), bool)
    for one in scene.seen:
        top, bottom = int(one.box.top * rows), math.ceil(one.box.bottom * rows)
        left, right = int(one.box.left * columns), math.ceil(one.box.right * columns)
        around[top:bottom, left:right] = False
    return around


def _pairs(before: tuple[Seen, ...], after: tuple[Seen, ...]) -> list[tuple[Seen, Seen]]:
    """Return pairs of the same object, nearest first."""
    candidates = sorted(
        ((_distance(old.box, new.box), i, j) for i, old in enumerate(before) for j, new in enumerate(after)
         if _alike(old, new))
    )  # fmt: skip
    pairs: list[tuple[Seen, Seen]] = []
    taken_before: set[int] = set()
    taken_after: set[int] = set()
    for distance, i, j in candidates:
        if distance <= SAME_THING and i not in taken_before and j not in taken_after:
            pairs.append((before[i], after[j]))
            taken_before.add(i)
            taken_after.add(j)
    return pairs


def _alike(one: Seen, other: Seen) -> bool:
    return bool({one.thing, one.rival} & {other.thing, other.rival} - {None})


def _distance(one: Box, other: Box) -> float:
    (x, y), (to_x, to_y) = one.centre, other.centre
    return float(((x - to_x) ** 2 + (y - to_y) ** 2) ** 0.5)


def _was_there(one: Seen, scene: Scene) -> bool:
    """Return whether a box at its place may be the same object: a rejected one, or one of another class."""
    return any(other.box.overlap(one.box) >= STILL_THERE for other in scene.faint if _alike(one, other)) or any(
        other.box.overlap(one.box) >= 2 * STILL_THERE for other in scene.seen
    )


def _directions(before: Box, after: Box) -> tuple[Direction, ...]:
    across, down = (now - then for now, then in zip(after.centre, before.centre, strict=True))
    directions: list[Direction] = []
    if abs(across) >= MOVED:
        directions.append("right" if across > 0 else "left")
    if abs(down) >= MOVED:
        directions.append("down" if down > 0 else "up")
    if not directions and before.area and after.area:
        if after.area / before.area >= GROWN:
            directions.append("nearer")
        elif before.area / after.area >= GROWN:
            directions.append("farther")
    return tuple(directions)


def _stirred(before: Floats, after: Floats) -> tuple[Side, ...]:
    change = np.abs((after - after.mean()) - (before - before.mean()))
    sides: tuple[Side, ...] = ("left", "centre", "right")
    parts = np.array_split(change, len(sides), axis=1)
    return tuple(side for side, part in zip(sides, parts, strict=True) if float(part.mean()) >= STIRRED)
