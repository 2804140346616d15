"""A model that can be chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from live_vlm_webui.models.model import ModelLabel


@dataclass(frozen=True)
class Offer:
    """A model that can be chosen.

    Attributes:
        label: Which one.
        vision: Whether it sees pictures; None if nothing tells.
    """

    label: ModelLabel
    vision: bool | None

    def to_json(self) -> dict[str, object]:
        """As it is told to browsers."""
        return {**self.label.to_json(), "vision": self.vision}


def best_first(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Those that see, then those of which nothing tells, then those that do not; else in their order."""
    return tuple(sorted(offers, key=lambda offer: (True, None, False).index(offer.vision)))
