"""Temperatures in /sys, in thousandths of a degree Celsius."""

from __future__ import annotations

import re
from pathlib import Path

from live_vlm_webui.system.source import read_integer, read_text

CPU_CHIPS = {
    # hwmon's name of the driver -> labels of the package's temperature, the best first; "" takes one without a label
    "coretemp": ("Package id 0", "Physical id 0"),
    "k10temp": ("Tdie", "Tctl"),
    "zenpower": ("Tdie", "Tctl"),
    "cpu_thermal": ("",),
}
CPU_ZONES = ("x86_pkg_temp", "cpu")
COLDEST = -100_000
"""A lower value means "no sensor": JetPack 5 reports -256 degrees for a GPU that is switched off."""


def find_zones(root: Path) -> dict[str, Path]:
    """Return the thermal zones by short name, each with the file of its temperature.

    JetPack 5 names them ``CPU-therm`` or ``tj-therm``, JetPack 6 and 7 ``cpu-thermal``, a Raspberry Pi ``cpu_thermal``;
    here they are ``cpu`` and ``tj``. Of two with the same name, the first counts.
    """
    zones: dict[str, Path] = {}
    for zone in sorted(root.glob("sys/class/thermal/thermal_zone*"), key=_number):
        name = re.sub(r"[-_]therm(al)?$", "", (read_text(zone / "type") or "").lower())
        if name and name != "pmic":  # a constant value on boards that have it
            zones.setdefault(name, zone / "temp")
    return zones


def find_cpu(root: Path) -> Path | None:
    """Return the file of the CPU temperature; None if it cannot be identified."""
    for chip in sorted(root.glob("sys/class/hwmon/hwmon*"), key=_number):
        labels = CPU_CHIPS.get(read_text(chip / "name") or "")
        if labels is None:
            continue
        inputs = {_label(path): path for path in sorted(chip.glob("temp*_input"), key=_number)}
        for label in labels:
            if label in inputs:
                return inputs[label]
    zones = find_zones(root)
    return next((zones[name] for name in CPU_ZONES if name in zones), None)


def read_celsius(path: Path) -> int | None:
    """Return the temperature in ``path``, in whole degrees; None if unavailable."""
    thousandths = read_integer(path)
    return None if thousandths is None or thousandths < COLDEST else round(thousandths / 1000)


def _label(path: Path) -> str:
    return read_text(path.with_name(path.name.replace("_input", "_label"))) or ""


def _number(path: Path) -> tuple[int, str]:
    digits = re.search(r"\d+", path.name)
    return (int(digits[0]) if digits else 0, path.name)
