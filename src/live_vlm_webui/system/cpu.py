"""CPU and memory from psutil; the CPU temperature from /sys, if available."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from live_vlm_webui.system.figures import Cpu, Memory, Reading, percent, whole_mib
from live_vlm_webui.system.thermal import find_cpu, read_celsius

ROOT = Path("/")


class CpuSource:
    """CPU and memory of any machine.

    Args:
        root: The directory of /sys.
    """

    name = "cpu"

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._temperature: Path | None = None
        self._before: list[tuple[float, float]] = []

    def open(self) -> None:
        """Find the CPU temperature sensor, and read the first counters."""
        self._temperature = find_cpu(self._root)
        self._before = _counters()

    def read(self) -> Reading:
        """Read all figures; None for those that the system does not report."""
        now = _counters()
        cores = _use(self._before, now)
        # The counters of a core that was switched on reach back to the boot.
        busy = _use([_sum(self._before)], [_sum(now)]) if len(self._before) == len(now) else []
        self._before = now
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        return Reading(
            cpu=Cpu(
                use_percent=busy[0] if busy else None,
                cores_percent=tuple(cores),
                load_1_minute=round(psutil.getloadavg()[0], 1),
                temperature_celsius=read_celsius(self._temperature) if self._temperature else None,
            ),
            memory=Memory(
                used_bytes=whole_mib(memory.total - memory.available),
                total_bytes=whole_mib(memory.total),
                swap_used_bytes=whole_mib(swap.used),
                swap_total_bytes=whole_mib(swap.total),
            ),
        )

    def close(self) -> None:
        """Do nothing: no resources are held."""


def _counters() -> list[tuple[float, float]]:
    """Return the idle and total seconds of each core since boot."""
    return [_idle_and_all(core) for core in psutil.cpu_times(percpu=True)]


def _idle_and_all(core: Any) -> tuple[float, float]:  # the fields of psutil's tuple differ between systems
    guests = getattr(core, "guest", 0.0) + getattr(core, "guest_nice", 0.0)  # Linux counts them in user and nice too
    return core.idle + getattr(core, "iowait", 0.0), sum(core) - guests


def _sum(cores: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(idle for idle, _ in cores), sum(whole for _, whole in cores)


def _use(before: Sequence[tuple[float, float]], now: Sequence[tuple[float, float]]) -> list[int]:
    """Return the use of each core between two readings; empty if the cores changed or no time passed."""
    if len(before) != len(now):
        return []
    use = []
    for (idle_before, all_before), (idle, whole) in zip(before, now, strict=True):
        if whole <= all_before:
            return []
        use.append(percent(1 - (idle - idle_before) / (whole - all_before)))
    return use
