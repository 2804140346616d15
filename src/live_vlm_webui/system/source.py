"""What a source of figures is to the monitor."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from live_vlm_webui.system.figures import Reading


class Absent(Exception):  # noqa: N818  # not an error: most machines lack most sources
    """This machine does not have that source.

    Args:
        reason: What is missing, as a sentence for people.
    """


class Source(Protocol):
    """Reads one kind of sensor. All its methods are called in one thread at a time, never in the event loop."""

    @property
    def name(self) -> str:
        """What it is called in ``Sample.sources``."""
        ...

    def open(self) -> None:
        """Find the sensors, and read what does not change.

        Raises:
            Absent: The machine has none.
            Exception: It has, and they cannot be read now.
        """
        ...

    def read(self) -> Reading:
        """Read the sensors.

        Raises:
            Exception: None of them can be read; the source is closed and opened again later. A single figure that
                cannot be had is None instead.
        """
        ...

    def close(self) -> None:
        """Free what ``open`` took. Also called if that failed half-way."""
        ...


def read_text(path: Path) -> str | None:
    """A small text file such as those in /sys, without the NUL and line ends that follow it; None if unreadable.

    Drivers answer with an error for a sensor that is asleep, so that one is missing, which is no fault.
    """
    try:
        return path.read_bytes().decode("utf-8", "replace").strip("\0\n\r\t ")
    except OSError:
        return None


def read_integer(path: Path) -> int | None:
    """The whole number in a file; None if there is none."""
    text = read_text(path)
    try:
        return int(text) if text else None
    except ValueError:
        return None
