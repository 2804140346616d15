"""Run one of the project's own nox sessions against a built wheel, and read how far its tests are."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

from releaser.adapters import process
from releaser.adapters.installers import settings
from releaser.core.activity import Activity, bound, current

WHEEL = "RELEASER_WHEEL"
"""The variable that tells a session which wheel to install instead of the source."""
JUNIT = "RELEASER_JUNIT"
"""The variable that tells a session in which directory to leave SESSION.xml (JUnit)."""
COUNTING = "--verbose --override-ini=console_output_style=count"
"""What is added to PYTEST_ADDOPTS, so that pytest prints a line a test, with the number of tests done and of all."""
_COUNTS = (
    re.compile(r"::.+ [A-Z]{4,}\b.*\s\[ *(\d+)/(\d+)\]$"),  # tests/test_it.py::test_it PASSED    [ 12/880]
    re.compile(r"^\[gw\d+\] \[ *(\d+)/(\d+)\] "),  # [gw0] [ 12/880] PASSED tests/test_it.py::test_it  (pytest-xdist)
    re.compile(r"(?:^|\s)[.sxXFERu]+ +\[ *(\d+)/(\d+)\]$"),  # tests/test_it.py ..s.    [ 12/880]  (a session with -q)
)
_NOX = "nox > "


@dataclass(frozen=True)
class Tally:
    """The results of a session's tests; `why` is the first reason for a skip."""

    passed: int
    skipped: int
    why: str = ""


class _Progress:
    """Tells tests done of all where the output shows them, and the latest line elsewhere."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._counts = False

    def tell(self, line: str, _done: int | None = None, _total: int | None = None) -> None:
        """Read one line of the session's output."""
        if found := next(filter(None, (pattern.search(line) for pattern in _COUNTS)), None):
            self._counts = True
            self._activity.tell(f"{found[1]} of {found[2]} tests", int(found[1]), int(found[2]))
        elif line.startswith(_NOX) or not self._counts:
            # A session may run more than pytest, and pytest more than once.
            self._counts = False
            self._activity.tell(line)


def session(name: str, tree: Path, wheel: Path, scratch: Path, log: Path) -> Tally | None:
    """Run one session of the noxfile in `tree`, in environments under `scratch`; None if it leaves no test report.

    Raises:
        CommandError: It failed; the message ends with its last lines.
    """
    activity = current()
    with bound(replace(activity, tell=_Progress(activity).tell)):
        process.run(
            [sys.executable, "-m", "nox", "-f", tree / "noxfile.py", "--envdir", scratch / "nox", "--session", name],
            cwd=tree,
            env={
                **settings.to_install_in_place(scratch),
                WHEEL: str(wheel),
                JUNIT: str(scratch),
                "PYTEST_ADDOPTS": f"{os.environ.get('PYTEST_ADDOPTS', '')} {COUNTING}".lstrip(),
                "PYTHONPATH": None,
                "NO_COLOR": "1",
                "FORCE_COLOR": None,
            },
            purpose=f"Session {name}",
            log=log,
        )
    report = scratch / f"{name}.xml"
    return _tally(report) if report.exists() else None


def failed_in_front(names: Sequence[str], tree: Path) -> list[str]:
    """Run sessions of `tree` on this terminal, one after the other; return those that did not pass."""
    with tempfile.TemporaryDirectory(prefix="releaser-nox-") as scratch:
        report = Path(scratch) / "report.json"
        words: list[str | Path] = [sys.executable, "-m", "nox", "--report", report, "--session", *names]
        if process.run_in_front(words, cwd=tree, env=settings.to_install_in_place(Path(scratch))) == 0:
            return []
        found = json.loads(report.read_text("utf-8"))["sessions"] if report.exists() else []
    # Nox fails without a report where it cannot read the noxfile.
    return [one["name"] for one in found if one["result"] not in ("success", "skipped")] or list(names)


def _tally(report: Path) -> Tally:
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314  our own pytest wrote it
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    skipped = [case for suite in suites for case in suite.iter("skipped")]
    return Tally(total - len(skipped), len(skipped), str(skipped[0].get("message", "")) if skipped else "")
