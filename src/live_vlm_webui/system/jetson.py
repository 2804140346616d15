"""NVIDIA Jetson from /sys: GPU load, thermal zones, supply rails and power mode, without root or other programs.

The paths differ between JetPack 5, 6 and 7. Sources: NVIDIA Jetson Linux Developer Guide (R35, R36, R38), "Power
Monitor" and "Thermal Zone"; Linux ``Documentation/hwmon/ina3221.rst`` and ``ina238.rst``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from live_vlm_webui.system.figures import Board, Gpu, Reading, percent
from live_vlm_webui.system.rails import Rail, find_rails, total_watts
from live_vlm_webui.system.source import Absent, read_integer, read_text
from live_vlm_webui.system.thermal import find_zones, read_celsius

ROOT = Path("/")
GPU_NODES = ("gpu", "ga10b", "gv11b", "gp10b")
"""Names of the GPU in the device tree: Orin since JetPack 6; Orin before, Xavier, TX2."""
LOAD_FILES = ("sys/devices/platform/gpu.0/load", "sys/devices/gpu.0/load")
"""Links to the GPU's load if it is not in /sys/class/devfreq."""
CHIPS = {"tegra264": "Thor", "tegra234": "Orin", "tegra194": "Xavier", "tegra186": "TX2", "tegra210": "Nano"}
LOOK_AGAIN = 30
"""The number of readings between searches for the GPU load: at boot the driver may start after this program."""
GPU_RAILS = ("VDD_GPU", "GPU", "VDD_SYS_GPU")
"""Rails that supply only the GPU; Orin's supply more."""


class JetsonSource:
    """A Jetson's own sensors.

    Args:
        root: The directory of /sys, /proc, /etc and /var.
    """

    name = "jetson"

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._gpu_name = ""
        self._load: Path | None = None
        self._looks_left = 0
        self._zones: dict[str, Path] = {}
        self._rails: tuple[Rail, ...] = ()
        self._modes: Mapping[int, str] = {}

    def open(self) -> None:
        """Find the sensors.

        Raises:
            Absent: This is not a Jetson.
        """
        chip = chip_of(self._root)
        if not chip:
            raise Absent("This machine is not an NVIDIA Jetson.")
        self._gpu_name = f"NVIDIA {chip} (integrated)"
        self._load = find_load(self._root)
        self._looks_left = LOOK_AGAIN
        self._zones = find_zones(self._root)
        self._rails = find_rails(self._root)
        self._modes = _power_modes(read_text(self._root / "etc/nvpmodel.conf") or "")

    def read(self) -> Reading:
        """Read all sensors; an unreadable one does not affect others."""
        temperatures = {name: read_celsius(path) for name, path in self._zones.items()}
        rails = {rail.name: rail.read_watts() for rail in self._rails}
        board = Board(
            power_watts=total_watts(rails),
            rails_watts={name: watts for name, watts in rails.items() if watts is not None},
            temperatures_celsius={name: degrees for name, degrees in temperatures.items() if degrees is not None},
            power_mode=self._power_mode(),
        )
        return Reading(gpus=(self._gpu(board),), board=board)

    def close(self) -> None:
        """Do nothing: no resources are held."""

    def _gpu(self, board: Board) -> Gpu:
        load = self._read_load()
        missing = {"memory_used_bytes": "The GPU shares the machine's memory."}
        missing["memory_total_bytes"] = missing["memory_used_bytes"]
        degrees = board.temperatures_celsius.get("gpu")
        watts = next((board.rails_watts[name] for name in GPU_RAILS if name in board.rails_watts), None)
        if load is None:
            missing["use_percent"] = "The driver reports no load in /sys."
        if degrees is None:
            missing["temperature_celsius"] = "Its thermal zone is not readable; the GPU may be switched off."
        if watts is None:
            missing["power_watts"] = "It has no separate supply rail; see the board's power."
        return Gpu(
            self._gpu_name,
            integrated=True,
            use_percent=None if load is None else percent(load / 1000),
            temperature_celsius=degrees,
            power_watts=watts,
            missing=missing,
        )

    def _read_load(self) -> int | None:
        """Return the GPU's load in thousandths."""
        if self._load is None:
            self._looks_left -= 1
            if self._looks_left <= 0:
                self._looks_left = LOOK_AGAIN
                self._load = find_load(self._root)
        return read_integer(self._load) if self._load else None

    def _power_mode(self) -> str:
        status = re.search(r"pmode:0*(\d+)", read_text(self._root / "var/lib/nvpmodel/status") or "")
        return self._modes.get(int(status[1]), f"mode {status[1]}") if status else ""


def chip_of(root: Path) -> str:
    """Return the family of this Jetson's chip, such as ``Orin``; empty if it is not a Jetson."""
    compatible = read_text(root / "proc/device-tree/compatible") or ""
    for number, chip in CHIPS.items():
        if f"nvidia,{number}" in compatible.split("\0"):
            return chip
    return "Tegra" if (root / "etc/nv_tegra_release").exists() else ""


def release_of(root: Path) -> str:
    """Return the version of Jetson Linux: ``36.4.3`` from ``# R36 (release), REVISION: 4.3, ...``; empty if unknown."""
    found = re.match(r"# R(\d+) \(release\), REVISION: ([\d.]+)", read_text(root / "etc/nv_tegra_release") or "")
    return f"{found[1]}.{found[2]}" if found else ""


def find_load(root: Path) -> Path | None:
    """Return the file with the GPU's load in thousandths; None on Thor, where NVML reports it."""
    for node in sorted(root.glob("sys/class/devfreq/*")):
        name = read_text(node / "device/of_node/name") or node.name.rpartition(".")[2]
        load = node / "device/load"
        if name in GPU_NODES and load.exists():
            return load
    return next((root / path for path in LOAD_FILES if (root / path).exists()), None)


def _power_modes(configuration: str) -> dict[int, str]:
    """Return the numbers and names of ``< POWER_MODEL ID=0 NAME=MAXN_SUPER >``."""
    found = re.findall(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+)\s*>", configuration)
    return {int(number): name for number, name in found}
