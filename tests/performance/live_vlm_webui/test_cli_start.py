"""How long ``live-vlm-webui --version`` takes, beside the bare interpreter measured in the same run."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

BUDGET_MS = 100.0
BUDGET_RATIO = 3.0
NOISE = 1.25
"""How far a figure may exceed its budget before the test fails: shared machines are noisy."""
RUNS = 12


def command() -> list[str]:
    script = Path(sys.executable).with_name("live-vlm-webui")
    return [str(script)] if script.exists() else [sys.executable, "-m", "live_vlm_webui"]


def milliseconds(program: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(program, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000


def test_version_starts_within_its_budget(capsys, record_property):
    bare_runs, version_runs = [], []
    for _ in range(RUNS):
        bare_runs.append(milliseconds([sys.executable, "-c", "pass"]))
        version_runs.append(milliseconds([*command(), "--version"]))
    bare, version = min(bare_runs), min(version_runs)
    ratio = version / bare

    record_property("version_ms", round(version, 1))
    record_property("ratio_to_bare_python", round(ratio, 2))
    with capsys.disabled():
        sys.stdout.write(
            f"\n| live-vlm-webui --version | {version:.1f} ms (budget <= {BUDGET_MS:.0f} ms)"
            f" | {ratio:.2f}x python -c pass at {bare:.1f} ms (budget <= {BUDGET_RATIO:.0f}x) | best of {RUNS} |\n"
        )
    assert version <= BUDGET_MS * NOISE
    assert ratio <= BUDGET_RATIO * NOISE
