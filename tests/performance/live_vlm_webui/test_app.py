"""The app's figures, measured as ``benchmarks/measure.py`` measures them."""

from __future__ import annotations

from measure import measure


def test_one_session(figure):
    for one in measure():
        figure(one.name, one.value, budget=one.budget, unit=one.unit, reference=one.reference, at_least=one.at_least)
