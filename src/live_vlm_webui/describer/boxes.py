"""Boxes of the detector: where something is, and which boxes are one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OVERLAP = 0.5
SAME_BOX = 0.6
"""How much of its union two boxes share that are one thing, seen in the picture and in its mirror image."""


@dataclass(frozen=True)
class Box:
    """Where something is, in fractions of the picture's width and height.

    Attributes:
        left: From the left side, 0 to 1.
        top: From the upper side, 0 to 1.
        right: From the left side, 0 to 1.
        bottom: From the upper side, 0 to 1.
    """

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """As a fraction of the picture's."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    @property
    def centre(self) -> tuple[float, float]:
        """Across and down."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def shared(self, other: Box) -> float:
        """The area that lies in both."""
        return Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        ).area

    def overlap(self, other: Box) -> float:
        """Intersection over union."""
        shared = self.shared(other)
        return shared / (self.area + other.area - shared) if shared else 0.0

    def mirrored(self) -> Box:
        """Left for right."""
        return Box(1 - self.right, self.top, 1 - self.left, self.bottom)

    def mean(self, other: Box) -> Box:
        """Half-way between the two."""
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
        number: Of its class, from 0 in the order of COCO.
        score: 0 to 1.
        box: Where.
    """

    number: int
    score: float
    box: Box


def confirmed(seen: Sequence[Detection], mirrored: Sequence[Detection]) -> list[Detection]:
    """What was seen in a picture and again in its mirror image, with the means of both scores and boxes.

    Args:
        seen: In the picture.
        mirrored: In its mirror image, as places there.
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


def suppress(detections: Sequence[Detection]) -> list[Detection]:
    """Of boxes of one class that overlap, the surest; the surest of all first."""
    kept: list[Detection] = []
    for one in sorted(detections, key=lambda one: -one.score):
        if all(one.number != other.number or one.box.overlap(other.box) <= OVERLAP for other in kept):
            kept.append(one)
    return kept
