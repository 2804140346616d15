"""Run nox sessions one after another; print what each took, the slowest tests, and how many tests passed.

`python .ci/sessions.py SESSION...`; the exit status is 1 if a session or a test failed, or no test passed. CI_NOTE is
what a reader of the count must know.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

SLOWEST = 20


class Run(NamedTuple):
    """A session that ended."""

    name: str
    seconds: float
    cpu_seconds: float
    status: int


def main(names: list[str]) -> int:
    """Return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [run(name, folder) for name in names]
        suites = [suite for file in Path(folder).glob("*.xml") for suite in ET.parse(file).iter("testsuite")]
    print_times(runs)
    print_slowest(suites)
    count = {
        name: sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    }
    failed = count["failures"] + count["errors"]
    passed = count["tests"] - failed - count["skipped"]
    if note := os.environ.get("CI_NOTE"):
        print(f"################ {note}")
    print(f"{passed} passed, {failed} failed, {count['skipped']} skipped", flush=True)
    return int(failed > 0 or passed == 0 or any(one.status for one in runs))


def run(name: str, reports: str) -> Run:
    """Run a session, which leaves its report in a directory and says why a test was skipped."""
    environment = {
        **os.environ,
        "RELEASER_JUNIT": reports,
        "PYTEST_ADDOPTS": f"{os.environ.get('PYTEST_ADDOPTS', '')} -rs",
    }
    begun, cpu = time.monotonic(), cpu_seconds()
    status = subprocess.run([sys.executable, "-m", "nox", "-s", name], env=environment, check=False).returncode
    return Run(name, time.monotonic() - begun, cpu_seconds() - cpu, status)


def cpu_seconds() -> float:
    """Return what ended children used; a program that outlives its parent is not among them."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def print_times(runs: list[Run]) -> None:
    """Print the time of each session, with its environment."""
    print("\nsession          time   CPU time")
    for one in runs:
        failed = "  failed" if one.status else ""
        print(f"{one.name:12} {one.seconds:6.0f} s  {one.cpu_seconds:7.0f} s{failed}")
    total = f"{sum(one.seconds for one in runs):6.0f} s  {sum(one.cpu_seconds for one in runs):7.0f} s"
    print(f"{'all':12} {total}")


def print_slowest(suites: list[ET.Element]) -> None:
    """Print the tests that took longest, with their setup and teardown."""
    tests = [test for suite in suites for test in suite.iter("testcase")]
    print(f"\nslowest {SLOWEST} tests")
    for test in sorted(tests, key=lambda test: -float(test.get("time", 0)))[:SLOWEST]:
        print(f"{float(test.get('time', 0)):6.1f} s  {test.get('classname', '')}::{test.get('name', '')}")
    print()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
