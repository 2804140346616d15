"""Apple silicon, without root rights: ``ioreg`` tells the GPU's use, nothing tells its temperature and power."""

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
"""ioreg costs some hundredths of a second of processor time: no more often than this, however short the interval."""
ROOT_ALONE = "macOS tells it to root alone."


Run = Callable[[tuple[str, ...]], bytes]
"""Runs a program and returns what it printed; raises OSError or subprocess.SubprocessError if it cannot."""


class AppleSource:
    """The GPU of Apple silicon.

    Args:
        memory_bytes: The machine's, which the GPU shares; None if unknown.
        run: Runs ``ioreg``.
        clock: Seconds, that never go back.
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
        """See that there is a GPU.

        Raises:
            Absent: ioreg knows none.
        """
        self._total = self._memory_bytes()
        self._read_at = None
        if not self.read().gpus:
            raise Absent("ioreg knows no GPU on this Mac.")

    def read(self) -> Reading:
        """Ask ioreg, unless it was asked just now.

        Raises:
            OSError: ioreg cannot be run.
            subprocess.SubprocessError: It failed, or took too long.
            ValueError: Its answer is not a property list.
        """
        now = self._clock()
        if self._read_at is None or now - self._read_at >= EVERY_SECONDS:
            self._last = Reading(gpus=tuple(_gpu(entry, self._total) for entry in _entries(self._run(ACCELERATORS))))
            self._read_at = now
        return self._last

    def close(self) -> None:
        """Nothing is held."""


def run_program(command: tuple[str, ...]) -> bytes:
    """Run one of the system's programs and return what it printed, within ``TIMEOUT_SECONDS``."""
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=TIMEOUT_SECONDS
    ).stdout


def _entries(answer: bytes) -> list[Mapping[str, Any]]:
    if not answer.strip():
        return []  # what ioreg prints when nothing matches
    try:
        told = plistlib.loads(answer)
    except (ValueError, ExpatError) as error:
        raise ValueError(f"ioreg's answer is not a property list: {error}.") from None
    return [entry for entry in told if isinstance(entry, Mapping)] if isinstance(told, list) else []


def _gpu(entry: Mapping[str, Any], total: int | None) -> Gpu:
    statistics = entry.get("PerformanceStatistics")
    told: Mapping[str, Any] = statistics if isinstance(statistics, Mapping) else {}
    use, used = told.get("Device Utilization %"), told.get("In use system memory")
    missing = {"temperature_celsius": ROOT_ALONE, "power_watts": ROOT_ALONE}
    if not isinstance(use, int):
        missing = {"use_percent": "ioreg does not tell it on this Mac.", **missing}
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
