"""NVIDIA Jetson from jetson-stats, if installed: it reads sensors that /sys does not show to ordinary users.

Its service runs as root and is accessed by a socket, for which the user must be in the group ``jtop``. Source:
https://rnext.it/jetson_stats/reference/jtop.html
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from live_vlm_webui.system.figures import Board, Gpu, Reading, percent
from live_vlm_webui.system.source import Absent

INTERVAL_SECONDS = 1.0


class JtopSource:
    """The integrated GPU and the board, from the jtop service."""

    name = "jtop"

    def __init__(self) -> None:
        self._jtop: Any = None

    def open(self) -> None:
        """Connect to the service.

        Raises:
            Absent: jetson-stats is not installed for this Python.
            Exception: The service is not running, or the user is not in its group.
        """
        if find_spec("jtop") is None:
            raise Absent("jetson-stats is not installed for this Python; the board's own sensors are read without it.")
        self._jtop = import_module("jtop").jtop(interval=INTERVAL_SECONDS)
        self._jtop.start()

    def read(self) -> Reading:
        """Return the last figures of the service.

        Raises:
            ConnectionError: It does not respond.
        """
        if not self._jtop.ok(spin=True):
            raise ConnectionError("The jtop service does not respond. Check `systemctl status jtop`.")
        gpus = tuple(_gpu(name, told) for name, told in dict(self._jtop.gpu).items())
        total = _number(dict(self._jtop.power).get("tot"), "power")
        zones = {name.lower(): _number(zone, "temp") for name, zone in dict(self._jtop.temperature).items()}
        board = Board(
            power_watts=None if total is None else round(total / 1000, 1),
            temperatures_celsius={name: round(degrees) for name, degrees in zones.items() if degrees is not None},
            power_mode=str(self._jtop.nvpmodel or ""),
        )
        return Reading(gpus=gpus, board=board)

    def close(self) -> None:
        """Disconnect."""
        jtop, self._jtop = self._jtop, None
        if jtop is not None:
            jtop.close()


def _gpu(name: str, told: Mapping[str, Any]) -> Gpu:
    load = _number(told.get("status"), "load")
    return Gpu(
        f"NVIDIA {name}",
        integrated=told.get("type") == "integrated",
        use_percent=None if load is None else percent(load / 100),
    )


def _number(told: object, key: str) -> float | None:
    value = told.get(key) if isinstance(told, Mapping) else None
    return float(value) if isinstance(value, (int, float)) and value > -100 else None  # -256: the sensor is offline
