"""Figures beside their budgets, as one table at the end; a missed one is shown, not failed: machines are noisy."""

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
    at_least: bool

    @property
    def met(self) -> bool:
        return self.value >= self.budget if self.at_least else self.value <= self.budget


FIGURES = pytest.StashKey[list[Figure]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


@pytest.fixture
def figure(pytestconfig: pytest.Config) -> Callable[..., None]:
    """Notes a measured value beside its budget, the most or least that it may be, and what else the run measured."""

    def note(name: str, value: float, *, budget: float, unit: str, reference: str = "", at_least: bool = False) -> None:
        pytestconfig.stash[FIGURES].append(Figure(name, value, budget, unit, reference, at_least))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    figures = config.stash[FIGURES]
    if not figures:
        return
    terminalreporter.section("figures")
    for one in figures:
        verdict = "ok    " if one.met else "MISSED"
        budget = f"{'at least' if one.at_least else 'at most'} {one.budget:g} {one.unit}"
        line = f"{verdict}  {one.name}: {one.value:.4g} {one.unit} ({budget})"
        terminalreporter.write_line(line + (f"; {one.reference}" if one.reference else ""))
