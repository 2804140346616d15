"""Twenty sessions for five minutes, as ``benchmarks/soak.py`` runs them."""

from __future__ import annotations

import pytest
from figures import BRIEF
from soak import soak


@pytest.mark.skipif(BRIEF, reason="takes five minutes; run for the tree, not for each release")
def test_twenty_sessions_for_five_minutes(figure):
    figures = soak(seconds=300, sessions=20)
    for one in figures:
        figure(one.name, one.value, budget=one.budget, unit=one.unit, reference=one.reference, at_least=one.at_least)
    for name in ("events dropped", "stop, with 20 sessions open"):  # no noise of the machine excuses these
        (one,) = [figure for figure in figures if figure.name == name]
        assert one.met, one
