"""Models to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from live_vlm_webui.models.model import ModelLabel


@dataclass(frozen=True)
class Offer:
    """A model to choose from.

    Attributes:
        label: The model's label.
        vision: Whether it accepts pictures; None if unknown.
    """

    label: ModelLabel
    vision: bool | None

    def to_json(self) -> dict[str, object]:
        """Return the offer as sent to browsers."""
        return {**self.label.to_json(), "vision": self.vision}


def best_first(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Sort offers: models that accept pictures first, then unknown ones, then the others."""
    return tuple(sorted(offers, key=lambda offer: (True, None, False).index(offer.vision)))
