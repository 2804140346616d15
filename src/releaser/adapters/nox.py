"""Running one of the project's own nox sessions against a built wheel."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from releaser.adapters import process

WHEEL = "RELEASER_WHEEL"
"""The variable that tells a session which wheel to install instead of the source."""
JUNIT = "RELEASER_JUNIT"
"""The variable that tells a session in which directory to leave SESSION.xml (JUnit)."""


@dataclass(frozen=True)
class Tally:
    """What a session's tests did; `why` holds the first reason for a skip."""

    passed: int
    skipped: int
    why: str = ""


def session(name: str, tree: Path, wheel: Path, scratch: Path, log: Path, without: Mapping[str, None]) -> Tally | None:
    """Runs one session of the noxfile in `tree`, in environments under `scratch`; None if it leaves no test report.

    Raises:
        CommandError: It failed; the message ends with its last lines.
    """
    process.run(
        [sys.executable, "-m", "nox", "--noxfile", tree / "noxfile.py", "--envdir", scratch / "nox", "--session", name],
        cwd=tree,
        env={
            **without,
            WHEEL: str(wheel),
            JUNIT: str(scratch),
            "PYTHONPATH": None,
            "NO_COLOR": "1",
            "FORCE_COLOR": None,
        },
        purpose=f"Session {name}",
        log=log,
    )
    report = scratch / f"{name}.xml"
    return _tally(report) if report.exists() else None


def _tally(report: Path) -> Tally:
    suites = list(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314  our own pytest wrote it
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    skipped = [case for suite in suites for case in suite.iter("skipped")]
    return Tally(total - len(skipped), len(skipped), str(skipped[0].get("message", "")) if skipped else "")
