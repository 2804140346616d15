"""How long ``live-vlm-webui --version`` takes, beside the bare interpreter measured in the same run."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

RUNS = 12


def command() -> list[str]:
    script = Path(sys.executable).with_name("live-vlm-webui")
    return [str(script)] if script.exists() else [sys.executable, "-m", "live_vlm_webui"]


def milliseconds(program: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(program, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000


def test_version_starts(figure):
    bare_runs, version_runs = [], []
    for _ in range(RUNS):
        bare_runs.append(milliseconds([sys.executable, "-c", "pass"]))
        version_runs.append(milliseconds([*command(), "--version"]))
    bare, version = min(bare_runs), min(version_runs)
    reference = f"python -c pass took {bare:.1f} ms, best of {RUNS}"
    figure("live-vlm-webui --version", version, budget=100, unit="ms", reference=reference)
    figure("live-vlm-webui --version, of python -c pass", version / bare, budget=3, unit="times", reference=reference)
