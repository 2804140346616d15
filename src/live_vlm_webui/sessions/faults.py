"""Reading JSON from outside, strictly, and telling all that is wrong with it at once."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from typing import TypeVar

from live_vlm_webui.errors import InputError

LONGEST_SHOWN = 40
MOST_SHOWN = 8
REMEDY = "Correct that and send it again; nothing was changed."

T = TypeVar("T")


class FaultError(ValueError):
    """One value that cannot be used; says what could be."""


class Faults:
    """What is wrong with one object of JSON."""

    def __init__(self) -> None:
        self._told: list[str] = []

    def add(self, name: str, what: str) -> None:
        """Tell what is wrong with the value called ``name``."""
        self._told.append(f"{name}: {what}" if what.endswith((".", "?")) else f"{name}: {what}.")

    def check_names(self, given: Mapping[str, object], known: Collection[str], prefix: str = "") -> None:
        """Tell of each name in ``given`` that is not known, and which known one is nearest."""
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(str(name)[:LONGEST_SHOWN], known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
                self.add(f"{prefix}{shortened(name)}", f"unknown; {hint}")

    def raise_any(self) -> None:
        """End with one error that tells all of them.

        Raises:
            InputError: There is at least one.
        """
        if not self._told:
            return
        more = len(self._told) - MOST_SHOWN
        told = [*self._told[:MOST_SHOWN], f"And {more} more."] if more > 0 else self._told
        raise InputError(" ".join(told), REMEDY)


def shortened(value: object) -> str:
    """``value`` for a message: as JSON has it, in one short line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int | float):
        return str(value) if abs(value) < 10**LONGEST_SHOWN else "a huge number"
    if isinstance(value, str):
        text = ascii(value[:LONGEST_SHOWN])
        return f"{text[:LONGEST_SHOWN]}..." if len(value) > LONGEST_SHOWN or len(text) > LONGEST_SHOWN else text
    return "an object" if isinstance(value, Mapping) else "a list"


def whole_number(value: object, least: int, most: int) -> int:
    """An int, and no bool.

    Raises:
        FaultError: It is something else, or out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise FaultError(f"{shortened(value)} is not a whole number from {least} to {most}")
    return value


def number(value: object, least: float, most: float) -> float:
    """A finite int or float, and no bool.

    Raises:
        FaultError: It is something else, or out of range.
    """
    usable = isinstance(value, int | float) and not isinstance(value, bool)
    # An int that is too large for a float compares well, and must not be converted first.
    if not usable or (isinstance(value, float) and not math.isfinite(value)) or not least <= value <= most:  # type: ignore[operator]
        raise FaultError(f"{shortened(value)} is not a number from {least:g} to {most:g}")
    return float(value)  # type: ignore[arg-type]


def flag(value: object) -> bool:
    """A bool.

    Raises:
        FaultError: It is something else.
    """
    if not isinstance(value, bool):
        raise FaultError(f"{shortened(value)} is neither true nor false")
    return value


def text(value: object, most: int, *, empty: bool = False) -> str:
    """A text that can be sent and stored as UTF-8.

    Raises:
        FaultError: It is something else, too long, or empty although it may not be.
    """
    if not isinstance(value, str):
        raise FaultError(f"{shortened(value)} is not a text")
    if len(value) > most:
        raise FaultError(f"{len(value)} characters are too many; at most {most} are taken")
    if not empty and not value.strip():
        raise FaultError("it is empty")
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise FaultError("it holds characters that are not text")
    return value
