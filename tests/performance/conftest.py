"""Figures beside their budgets, as one table at the end; over budget is shown, not failed: machines are noisy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    budget: float
    unit: str
    reference: str


FIGURES = pytest.StashKey[list[Figure]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


@pytest.fixture
def figure(pytestconfig: pytest.Config) -> Callable[..., None]:
    """Notes a measured value beside the most that it may be, and what it was compared with in the same run."""

    def note(name: str, value: float, *, budget: float, unit: str, reference: str = "") -> None:
        pytestconfig.stash[FIGURES].append(Figure(name, value, budget, unit, reference))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    figures = config.stash[FIGURES]
    if not figures:
        return
    terminalreporter.section("figures")
    for one in figures:
        verdict = "ok  " if one.value <= one.budget else "OVER"
        line = f"{verdict}  {one.name}: {one.value:.4g} {one.unit} (budget {one.budget:g} {one.unit})"
        terminalreporter.write_line(line + (f"; {one.reference}" if one.reference else ""))
