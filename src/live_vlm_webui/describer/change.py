"""What differs between two pictures of one camera."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from live_vlm_webui.describer.belief import Seen
    from live_vlm_webui.describer.boxes import Box
    from live_vlm_webui.describer.pixels import Floats
    from live_vlm_webui.describer.scene import Scene

Direction = Literal["left", "right", "up", "down", "nearer", "farther"]
Side = Literal["left", "centre", "right"]

SAME_THING = 0.3
"""How far a thing's centre goes from one picture to the next, in picture widths, before it is taken for another."""
MOVED = 0.08
GROWN = 1.5
STILL_THERE = 0.25
"""The overlap with a faint box of its class from which on a thing is not called gone (or new)."""
LIGHT_STEP = 20.0
ANOTHER_VIEW = 0.4
ENOUGH_AROUND = 0.25
"""The share of the picture in which there are no things, from which on that alone tells whether the view is another."""
FLAT = 4.0
"""Thumbnails with less deviation have no likeness to measure."""
FLAT_STEP = 30.0
STIRRED = 6.0
"""Mean change of a third of the picture, in steps of luma, from which on something changed there."""


@dataclass(frozen=True)
class Move:
    """A thing that is elsewhere.

    Attributes:
        now: Where it is now.
        directions: In which it moved, in the picture.
    """

    now: Seen
    directions: tuple[Direction, ...]


@dataclass(frozen=True)
class Change:
    """What differs.

    Attributes:
        another_view: Whether the pictures have little in common; the rest says nothing then.
        light: ``brighter``, ``darker``, or empty.
        appeared: Not seen before, not even faintly.
        gone: Not seen any more, not even faintly.
        moved: Seen in both.
        stirred: Where the pictures differ, whatever is there.
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
    """What is different in ``after``."""
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
    """Whether what is around the things, or all of it if that is too little, is another picture."""
    import numpy as np

    around = _around(before) & _around(after)
    if around.mean() < ENOUGH_AROUND:
        around[:] = True
    old, new = before.thumbnail[around], after.thumbnail[around]
    if min(float(old.std()), float(new.std())) < FLAT:
        cannot_be_likened = abs(float(old.std()) - float(new.std())) > FLAT
        return cannot_be_likened or abs(float(old.mean() - new.mean())) > FLAT_STEP
    return float(np.corrcoef(old, new)[0, 1]) < ANOTHER_VIEW


def _around(scene: Scene) -> NDArray[np.bool_]:
    """Which cells of the thumbnail no thing touches."""
    import numpy as np

    rows, columns = scene.thumbnail.shape
    around = np.ones((rows, columns), bool)
    for one in scene.seen:
        top, bottom = int(one.box.top * rows), math.ceil(one.box.bottom * rows)
        left, right = int(one.box.left * columns), math.ceil(one.box.right * columns)
        around[top:bottom, left:right] = False
    return around


def _pairs(before: tuple[Seen, ...], after: tuple[Seen, ...]) -> list[tuple[Seen, Seen]]:
    """The same things in both, the nearest first."""
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
    """Whether something at its place could be it: the same class, faintly, or believed to be another class."""
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
    import numpy as np

    change = np.abs((after - after.mean()) - (before - before.mean()))
    sides: tuple[Side, ...] = ("left", "centre", "right")
    parts = np.array_split(change, len(sides), axis=1)
    return tuple(side for side, part in zip(sides, parts, strict=True) if float(part.mean()) >= STIRRED)
