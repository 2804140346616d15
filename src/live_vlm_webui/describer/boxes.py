"""Boxes of the detector: their geometry, and which ones show the same object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OVERLAP = 0.5
SAME_BOX = 0.6
"""The least overlap of two boxes of the same object, in the picture and in its mirror image."""


@dataclass(frozen=True)
class Box:
    """A rectangle in fractions of the picture's width and height.

    Attributes:
        left: Its left edge, 0 to 1 from the left.
        top: Its top edge, 0 to 1 from the top.
        right: Its right edge, 0 to 1 from the left.
        bottom: Its bottom edge, 0 to 1 from the top.
    """

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Its area as a fraction of the picture's."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    @property
    def centre(self) -> tuple[float, float]:
        """Its centre, across and down."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def shared(self, other: Box) -> float:
        """Return the area of the intersection."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        ).area

    def overlap(self, other: Box) -> float:
        """Return intersection over union."""
        shared = self.shared(other)
        return shared / (self.area + other.area - shared) if shared else 0.0

    def mirrored(self) -> Box:
        """Return the box in the mirror image."""
        return Box(1 - self.right, self.top, 1 - self.left, self.bottom)

    def mean(self, other: Box) -> Box:
        """Return the mean of both boxes."""
        return Box(
            (self.left + other.left) / 2,
            (self.top + other.top) / 2,
            (self.right + other.right) / 2,
            (self.bottom + other.bottom) / 2,
        )


@dataclass(frozen=True)
class Detection:
    """A box of the detector.

    Attributes:
        number: Its class, from 0 in the order of COCO.
        score: Its score, 0 to 1.
        box: Its box.
    """

    number: int
    score: float
    box: Box


def confirmed(seen: Sequence[Detection], mirrored: Sequence[Detection]) -> list[Detection]:
    """Return the detections in both a picture and its mirror image, with the means of both scores and boxes.

    Args:
        seen: The detections in the picture.
        mirrored: The detections in its mirror image.
    """
    there = [Detection(one.number, one.score, one.box.mirrored()) for one in mirrored]
    both = []
    for one in seen:
        partner = max(
            (other for other in there if other.number == one.number and other.box.overlap(one.box) >= SAME_BOX),
            key=lambda other: other.box.overlap(one.box),
            default=None,
        )
        if partner:
            there.remove(partner)
            both.append(Detection(one.number, (one.score + partner.score) / 2, one.box.mean(partner.box)))
    return sorted(both, key=lambda one: -one.score)


def agreed(looks: Sequence[Sequence[Detection]]) -> list[Detection]:
    """Return what the first look shows or several looks show, with the mean of the two highest scores if that is more.

    A look alone proves little, and the first look's score is kept: it saw the picture at its largest.

    Args:
        looks: The detections of one class in looks at the same picture; the first one saw it at its largest.
    """
    left = sorted(((one, number) for number, look in enumerate(looks) for one in look), key=lambda pair: -pair[0].score)
    found = []
    while left:
        best, _ = left[0]
        group: dict[int, Detection] = {}
        for one, number in left:
            if number not in group and one.box.overlap(best.box) >= OVERLAP:
                group[number] = one
        left = [pair for pair in left if pair[0].box.overlap(best.box) < OVERLAP]
        scores = sorted((one.score for one in group.values()), reverse=True)
        together = sum(scores[:2]) / 2 if len(scores) > 1 else 0.0
        if 0 in group or together:
            score = max(together, group[0].score if 0 in group else 0.0)
            found.append(Detection(best.number, score, group.get(0, best).box))
    return suppress(found)


def suppress(detections: Sequence[Detection]) -> list[Detection]:
    """Keep only the highest-scoring of overlapping boxes of a class (non-maximum suppression), highest first."""
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda one: -one.score):
        if all(one.number != other.number or one.box.overlap(other.box) <= OVERLAP for other in kept):
            kept.append(one)
    return kept
