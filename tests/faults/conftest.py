"""The fault table's options, its printing and its JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fault_table.rows import rows
from paths_table.row import rows as job_rows

OUTCOME = "fault table"
PATHS = "paths table"
_KINDS = ("writing", "reading", "kill", "world", "rollback", "images")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="every row of the fault table, not only those that CI runs")
    parser.addoption("--table", type=Path, metavar="FILE", help="write the fault table's outcomes as JSON")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "row" in metafunc.fixturenames:
        # Rows that begin in the same world stay together: a worker makes only the worlds that it needs.
        chosen = [row for row in rows() if row.quick or metafunc.config.getoption("all")]
        metafunc.parametrize("row", chosen, ids=[row.name for row in chosen])

    if "job_row" in metafunc.fixturenames:
        jobs = [row for row in job_rows() if row.quick or metafunc.config.getoption("all")]
        metafunc.parametrize("job_row", jobs, ids=[row.name for row in jobs])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("all"):
        left = [item for item in items if item.get_closest_marker("lengthy")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if paths := _recorded(terminalreporter, PATHS):
        terminalreporter.section("paths table")
        for one in paths:
            terminalreporter.write_line(f"{one['name']}: {', '.join(one['runs'])}, {one['end']}")
        ended = sum(one["end"] != "failed" for one in paths)
        spent = sum(one["seconds"] for one in paths)
        known = len(list(job_rows()))
        terminalreporter.write_line(f"{len(paths)} of {known} rows, {ended} ended as undisturbed; {spent:.0f} s")
    outcomes = _recorded(terminalreporter, OUTCOME)
    if not outcomes:
        return
    terminalreporter.section("fault table")
    for one in sorted(outcomes, key=lambda one: _KINDS.index(one["kind"])):
        terminalreporter.write_line(_line(one))
    sums = _sums(outcomes)
    terminalreporter.write_line("")
    for line in sums:
        terminalreporter.write_line("".join(str(cell).rjust(12) for cell in line))
    seconds = sum(one["seconds"] for one in outcomes)
    terminalreporter.write_line(f"{len(outcomes)} of {len(rows())} rows; {seconds:.0f} s, all workers together")
    if path := config.getoption("table"):
        table = {"sums": [dict(zip(sums[0], line, strict=True)) for line in sums[1:]], "rows": outcomes}
        path.write_text(json.dumps(table, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _recorded(terminalreporter: Any, name: str) -> list[dict[str, Any]]:
    """Return what tests recorded under a name."""
    return [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for key, value in report.user_properties
        if key == name
    ]


def _sums(outcomes: list[dict[str, Any]]) -> list[list[Any]]:
    """Return the table's sums, with a line of titles first and one for all kinds last."""
    lines: list[list[Any]] = [["kind", "rows", "struck", "converged", "refused", "failed", "duplicates", "losses"]]
    for kind in (*_KINDS, "all"):
        of_kind = [one for one in outcomes if kind in (one["kind"], "all")]
        ends = [one["end"].partition(",")[0] for one in of_kind]
        counted = [ends.count(end) for end in ("as undisturbed", "refused", "failed")]
        more = [sum(len(one[name]) for one in of_kind) for name in ("duplicates", "losses")]
        lines.append([kind, len(of_kind), sum(bool(one["struck"]) for one in of_kind), *counted, *more])
    return lines


def _line(one: dict[str, Any]) -> str:
    message = " ".join(one["message"].split())
    final = f"then {one['final']}" if one["final"] else "not run again"
    twice, lost = len(one["duplicates"]), len(one["losses"])
    says = f"  {message[:100]}" if message else ""
    runs = f"struck {one['struck']}, {one['first']}, {final}, {one['end']}"
    return f"{one['name']}: {runs}, {twice} twice, {lost} lost{says}"
