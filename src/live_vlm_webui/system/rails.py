"""Supply rails that a board measures: INA3221 (current and voltage of three rails) and INA238 (power of one)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from live_vlm_webui.system.source import read_integer, read_text

WHOLE_BOARD = ("VIN", "VDD_IN", "POM_5V_IN")
"""Rails that supply all others: Thor's board, the modules of Orin Nano and NX and Xavier NX, Nano's."""
FED_BY_ANOTHER = ("VDDQ_VDD2_1V8AO",)
"""AGX Orin's memory, supplied by VIN_SYS_5V0: adding it would count it twice."""


@dataclass(frozen=True)
class Rail:
    """A supply rail, and the files with its power.

    Attributes:
        name: The label of its sensor.
        microwatts: The file with its power, or None.
        millivolts: The file with its voltage, if there is none with its power.
        milliamperes: The file with its current, if there is none with its power.
    """

    name: str
    microwatts: Path | None = None
    millivolts: Path | None = None
    milliamperes: Path | None = None

    def read_watts(self) -> float | None:
        """Return its power, rounded to tenths of a watt; an idle rail may be slightly negative."""
        if self.microwatts is not None:
            power = read_integer(self.microwatts)
            return None if power is None else round(power / 1e6, 1)
        if self.millivolts is None or self.milliamperes is None:
            return None
        volts, amperes = read_integer(self.millivolts), read_integer(self.milliamperes)
        return None if volts is None or amperes is None else round(volts * amperes / 1e6, 1)


def find_rails(root: Path) -> tuple[Rail, ...]:
    """Return all connected rails; unconnected channels are labelled ``NC``."""
    rails: dict[str, Rail] = {}
    for chip in sorted(root.glob("sys/class/hwmon/hwmon*")):
        driver = read_text(chip / "name")
        found: list[Rail] = []
        if driver == "ina3221":
            found = [_channel(chip, label) for label in sorted(chip.glob("in[123]_label"))]
        elif driver == "ina238" and (chip / "power1_input").exists():
            found = [Rail(read_text(chip / "label") or "VIN", microwatts=chip / "power1_input")]
        for rail in found:
            if rail.name and rail.name != "NC":
                rails.setdefault(rail.name, rail)
    return tuple(rails.values())


def total_watts(rails: Mapping[str, float | None]) -> float | None:
    """Return the total power: of the rail that supplies all, else the sum of the independent rails.

    None if one of them is unreadable: a sum without it would be too low.
    """
    for name in WHOLE_BOARD:
        if name in rails:
            return rails[name]
    apart = [watts for name, watts in rails.items() if name not in FED_BY_ANOTHER]
    told = [watts for watts in apart if watts is not None]
    return round(sum(told), 1) if told and len(told) == len(apart) else None


def _channel(chip: Path, label: Path) -> Rail:
    number = re.sub(r"\D", "", label.name)
    return Rail(
        read_text(label) or "",
        millivolts=chip / f"in{number}_input",
        milliamperes=chip / f"curr{number}_input",
    )
