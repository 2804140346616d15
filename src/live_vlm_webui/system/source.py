"""The interface of sources of figures."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from live_vlm_webui.system.figures import Reading


class Absent(Exception):  # noqa: N818  # not an error: most machines lack most sources
    """This machine does not have the source.

    Args:
        reason: What is missing, as a sentence.
    """


class Source(Protocol):
    """Reads one kind of sensor. Its methods are called in one thread at a time, never in the event loop."""

    @property
    def name(self) -> str:
        """Its name in ``Sample.sources``."""
        ...

    def open(self) -> None:
        """Find the sensors, and read constant figures.

        Raises:
            Absent: The machine has none.
            Exception: They cannot be read now.
        """
        ...

    def read(self) -> Reading:
        """Read the sensors.

        Raises:
            Exception: None of them can be read; the source is closed and reopened later. A single missing figure is
                None instead.
        """
        ...

    def close(self) -> None:
        """Free the resources of ``open``. Also called if that failed."""
        ...


def read_text(path: Path) -> str | None:
    """Return a small text file, such as in /sys, without trailing NULs and line breaks; None if unreadable.

    Drivers return errors for sleeping sensors, whose figures are then missing.
    """
    try:
        return path.read_bytes().decode("utf-8", "replace").strip("\0\n\r\t ")
    except OSError:
        return None


def read_integer(path: Path) -> int | None:
    """Return the integer in a file; None if there is none."""
    text = read_text(path)
    try:
        return int(text) if text else None
    except ValueError:
        return None
