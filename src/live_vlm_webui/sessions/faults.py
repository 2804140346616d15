"""Validate JSON from clients strictly, and report all errors at once."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from typing import TypeVar

from live_vlm_webui.errors import InputError

LONGEST_SHOWN = 40
MOST_SHOWN = 8
REMEDY = "Correct the values and send them again; nothing was changed."

T = TypeVar("T")


class FaultError(ValueError):
    """An invalid value."""


class Faults:
    """The errors in a JSON object."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, name: str, what: str) -> None:
        """Add an error in the value called ``name``."""
        self._found.append(f"{name}: {what}")

    def check_names(self, given: Mapping[str, object], known: Collection[str], prefix: str = "") -> None:
        """Add an error for each unknown name in ``given``, with the nearest known one."""
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(str(name)[:LONGEST_SHOWN], known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
                self.add(f"{prefix}{shortened(name)}", f"unknown name; {hint}")

    def raise_any(self) -> None:
        """Raise one error with all of them.

        Raises:
            InputError: There is at least one.
        """
        if not self._found:
            return
        more = len(self._found) - MOST_SHOWN
        shown = [*self._found[:MOST_SHOWN], f"and {more} more"] if more > 0 else self._found
        raise InputError("; ".join(shown), REMEDY)


def shortened(value: object) -> str:
    """Return ``value`` for a message: as JSON, on one short line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return str(value) if abs(value) < 10**LONGEST_SHOWN else "a huge number"
    if isinstance(value, str):
        text = ascii(value[:LONGEST_SHOWN])
        return f"{text[:LONGEST_SHOWN]}..." if len(value) > LONGEST_SHOWN or len(text) > LONGEST_SHOWN else text
    return "an object" if isinstance(value, Mapping) else "an array"


def whole_number(value: object, least: int, most: int) -> int:
    """Return ``value`` if it is an int and not a bool.

    Raises:
        FaultError: It is not an int, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise FaultError(f"{shortened(value)} is not a whole number from {least} to {most}")
    return value


def number(value: object, least: float, most: float) -> float:
    """Return ``value`` if it is a finite int or float and not a bool.

    Raises:
        FaultError: It is not a number, or out of range.
    """
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    # An int that is too large for a float can be compared, but not converted.
    if not usable or (isinstance(value, float) and not math.isfinite(value)) or not least <= value <= most:  # type: ignore[operator]
        raise FaultError(f"{shortened(value)} is not a number from {least:g} to {most:g}")
    return float(value)  # type: ignore[arg-type]


def flag(value: object) -> bool:
    """Return ``value`` if it is a bool.

    Raises:
        FaultError: It is not.
    """
    if not isinstance(value, bool):
        raise FaultError(f"{shortened(value)} is neither true nor false")
    return value


def text(value: object, most: int, *, empty: bool = False) -> str:
    """Return ``value`` if it is a string that can be encoded as UTF-8.

    Raises:
        FaultError: It is not, is too long, or is empty and ``empty`` is false.
    """
    if not isinstance(value, str):
        raise FaultError(f"{shortened(value)} is not a string")
    if len(value) > most:
        raise FaultError(f"it has {len(value)} characters; the limit is {most}")
    if not empty and not value.strip():
        raise FaultError("it is empty")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise FaultError("it contains invalid characters")
    return value
