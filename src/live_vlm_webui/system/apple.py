"""Apple silicon, without root: ``ioreg`` reports the GPU's use, but not its temperature and power."""

from __future__ import annotations

import plistlib
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any
from xml.parsers.expat import ExpatError

from live_vlm_webui.system.figures import Gpu, Reading, percent, whole_mib
from live_vlm_webui.system.source import Absent

ACCELERATORS = ("ioreg", "-r", "-d", "1", "-w", "0", "-c", "IOAccelerator", "-a")
TIMEOUT_SECONDS = 0.8
EVERY_SECONDS = 1.0
"""ioreg needs some hundredths of a second of CPU time, so it runs no more often than this."""
ROOT_ONLY = "macOS reports it only to root."


Run = Callable[[tuple[str, ...]], bytes]
"""Runs a program and returns its output; raises OSError or subprocess.SubprocessError on failure."""


class AppleSource:
    """The GPU of Apple silicon.

    Args:
        memory_bytes: Returns the size of the machine's memory, which the GPU shares; None if unknown.
        run: Runs ``ioreg``.
        clock: A monotonic clock, in seconds.
    """

    name = "apple"

    def __init__(
        self,
        memory_bytes: Callable[[], int | None],
        run: Run | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._memory_bytes = memory_bytes
        self._run = run or run_program
        self._clock = clock
        self._total: int | None = None
        self._last = Reading()
        self._read_at: float | None = None

    def open(self) -> None:
        """Check that there is a GPU.

        Raises:
            Absent: ioreg lists none.
        """
        self._total = self._memory_bytes()
        self._read_at = None
        if not self.read().gpus:
            raise Absent("ioreg lists no GPU on this Mac.")

    def read(self) -> Reading:
        """Run ioreg, unless it ran less than ``EVERY_SECONDS`` ago.

        Raises:
            OSError: ioreg cannot be run.
            subprocess.SubprocessError: It failed or timed out.
            ValueError: Its output is not a property list.
        """
        now = self._clock()
        if self._read_at is None or now - self._read_at >= EVERY_SECONDS:
            self._last = Reading(gpus=tuple(_gpu(entry, self._total) for entry in _entries(self._run(ACCELERATORS))))
            self._read_at = now
        return self._last

    def close(self) -> None:
        """Do nothing: no resources are held."""


def run_program(command: tuple[str, ...]) -> bytes:
    """Run a program of the system and return its output, within ``TIMEOUT_SECONDS``."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=TIMEOUT_SECONDS
    ).stdout


def _entries(answer: bytes) -> list[Mapping[str, Any]]:
    if not answer.strip():
        return []  # ioreg's output if nothing matches
    try:
        told = plistlib.loads(answer)
    except (ValueError, ExpatError) as error:
        raise ValueError(f"The output of ioreg is not a property list: {error}") from None
    return [entry for entry in told if isinstance(entry, Mapping)] if isinstance(told, list) else []


def _gpu(entry: Mapping[str, Any], total: int | None) -> Gpu:
    statistics = entry.get("PerformanceStatistics")
    told: Mapping[str, Any] = statistics if isinstance(statistics, Mapping) else {}
    use, used = told.get("Device Utilization %"), told.get("In use system memory")
    missing = {"temperature_celsius": ROOT_ONLY, "power_watts": ROOT_ONLY}
    if not isinstance(use, int):
        missing = {"use_percent": "ioreg does not report it on this Mac.", **missing}
    model, cores = entry.get("model"), entry.get("gpu-core-count")
    name = model if isinstance(model, str) else "Apple GPU"
    return Gpu(
        f"{name}, {cores} cores" if isinstance(cores, int) else name,
        integrated=True,
        use_percent=percent(use / 100) if isinstance(use, int) else None,
        memory_used_bytes=whole_mib(used) if isinstance(used, int) else None,
        memory_total_bytes=None if total is None else whole_mib(total),
        missing=missing,
    )
