"""The app's figures, measured as ``benchmarks/measure.py`` measures them."""

from __future__ import annotations

import measure
from figures import BRIEF


def test_one_session(figure):
    for one in measure.measure(effort=measure.BRIEF if BRIEF else measure.WHOLE):
        figure(one.name, one.value, budget=one.budget, unit=one.unit, reference=one.reference, at_least=one.at_least)
