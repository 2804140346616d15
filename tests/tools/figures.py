"""A measured figure beside its budget."""

from __future__ import annotations

import os
from typing import NamedTuple

BRIEF = "RELEASER_WHEEL" in os.environ
"""Whether a release waits for the figures. Each is then measured for less time; the whole time is for the tree."""


class Figure(NamedTuple):
    """What was measured, the most (or the least) that it may be, and what the same run is to be compared with."""

    name: str
    value: float
    budget: float
    unit: str
    reference: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the budget is kept; a figure that is no number does not."""
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    def __str__(self) -> str:
        budget = f"{'at least' if self.at_least else 'at most'} {self.budget:g} {self.unit}"
        line = f"{'ok    ' if self.met else 'MISSED'}  {self.name}: {self.value:.4g} {self.unit} ({budget})"
        return f"{line}; {self.reference}" if self.reference else line
