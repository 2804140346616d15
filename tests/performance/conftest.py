"""Figures beside their budgets, as one table at the end; a missed one is shown, not failed: machines are noisy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from figures import Figure

FIGURES = pytest.StashKey[list[Figure]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "how long the browser's heap is watched, in seconds (600 for the whole measurement)"
    parser.addoption("--heap-seconds", type=float, default=10.0, help=text)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a measurement take an hour: images are built several times, and the heap is watched as long as asked."""
    here = Path(__file__).parent
    for item in (one for one in items if one.path.is_relative_to(here)):
        item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture
def figure(pytestconfig: pytest.Config) -> Callable[..., None]:
    """Notes a measured value beside its budget; takes what ``Figure`` takes."""

    def note(name: str, value: float, *, budget: float, unit: str, reference: str = "", at_least: bool = False) -> None:
        pytestconfig.stash[FIGURES].append(Figure(name, value, budget, unit, reference, at_least))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    figures = config.stash[FIGURES]
    if figures:
        terminalreporter.section("figures")
    for one in figures:
        terminalreporter.write_line(str(one))
