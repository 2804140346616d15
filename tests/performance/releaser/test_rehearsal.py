"""What the engine adds to the programs that a rehearsal runs: time beside a bare script, and its own memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil

ROUNDS = 3
BARE = Path(__file__).with_name("bare_rehearsal.py")
LOOK_EVERY_S = 0.1


def peak_memory(pid: int) -> int:
    """The most that a process had in memory so far, without its children; in bytes. Without /proc: what it has now."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return int(psutil.Process(pid).memory_info().rss)


class Took(NamedTuple):
    """Wall time and CPU time (with all that it started), in seconds, and its own peak memory, in bytes."""

    wall: float
    cpu: float
    memory: int


def watched(words, cwd, env, log):
    """Runs a program, which must succeed."""
    peak, cpu = 0, children_cpu()
    with log.open("wb") as out:
        began = time.perf_counter()
        with subprocess.Popen(words, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT) as process:
            while process.poll() is None:
                try:
                    peak = max(peak, peak_memory(process.pid))
                    process.wait(LOOK_EVERY_S)
                except (subprocess.TimeoutExpired, psutil.NoSuchProcess, ProcessLookupError):
                    continue
        seconds = time.perf_counter() - began
    assert process.returncode == 0, log.read_text("utf-8")
    return Took(seconds, children_cpu() - cpu, peak)


def children_cpu():
    times = os.times()
    return times.children_user + times.children_system


def seconds_to_first_line(words, cwd, env):
    began = time.perf_counter()
    with subprocess.Popen(words, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        line = process.stdout.readline()
        seconds = time.perf_counter() - began
        process.terminate()
        process.stdout.read()
    assert line.startswith(b"Rehearsing tiny-thing 0.2.0 at commit "), line
    return seconds


def test_first_line(figure, tiny, run, invoke):
    rehearse = [*invoke, "rehearse", "--version", "0.2.0", "--quick"]
    seconds = min(seconds_to_first_line(rehearse, tiny.path, run.environment()) for _ in range(ROUNDS))
    figure("the first line of a rehearsal", seconds, budget=1, unit="s", reference=f"with start-up; best of {ROUNDS}")


def test_rehearsal(figure, tiny, run, invoke, tmp_path):
    rehearse = [*invoke, "rehearse", "--version", "0.2.0"]
    engine, bare = [], []
    for number in range(ROUNDS):
        state = {**run.environment(), "RELEASER_STATE_DIR": str(tmp_path / f"state-{number}")}
        engine.append(watched(rehearse, tiny.path, state, tmp_path / "engine.log"))
        script = [sys.executable, str(BARE), str(tiny.path), str(tmp_path / f"bare-{number}"), "0.2.0"]
        bare.append(watched(script, tmp_path, run.environment(), tmp_path / "bare.log"))
    again = [watched(rehearse, tiny.path, state, tmp_path / "again.log") for _ in range(ROUNDS)]
    assert " ...\n" not in (tmp_path / "again.log").read_text("utf-8"), "a step was begun again"

    rounds = ", ".join(f"{one.wall:.1f} and {two.wall:.1f} s" for one, two in zip(engine, bare, strict=True))
    cpu = f"of CPU {min(one.cpu for one in engine):.1f} and {min(one.cpu for one in bare):.1f} s"
    ratio = min(one.wall for one in engine) / min(one.wall for one in bare)
    reference = f"rehearsal and script in turn: {rounds}; the best of each counts; {cpu}"
    figure("a rehearsal, of a bare script", ratio, budget=1.15, unit="times", reference=reference)
    megabytes = max(one.memory for one in engine) / 1e6
    figure("the engine's own memory", megabytes, budget=120, unit="MB", reference="peak of invoke without its children")
    reference = f"every step done; with start-up and the stand-ins'; best of {ROUNDS}"
    figure("the same rehearsal again", min(one.wall for one in again), budget=5, unit="s", reference=reference)
