"""A fault outside the services' responses: `NAME` before a run begins, or `NAME=before|after:STEP`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from releaser.core.step import Outcome
from releaser.errors import UsageError
from releaser.rehearsal.mishaps import MISHAPS
from releaser.rehearsal.strangers import STRANGERS
from releaser.release import Release

WORLD_FAULTS: dict[str, Callable[[Release], None]] = {**MISHAPS, **STRANGERS}


@dataclass(frozen=True)
class WorldFault:
    """One declared fault.

    Attributes:
        name: A key of WORLD_FAULTS.
        when: "before" a step acts or "after" its fact holds; empty: before the run begins.
        step: The step.
    """

    name: str
    when: str = ""
    step: str = ""

    @classmethod
    def parse(cls, text: str) -> WorldFault:
        """Read the text form.

        Raises:
            UsageError: It is none.
        """
        name, equals, moment = text.partition("=")
        when, _, step = moment.partition(":")
        if name not in WORLD_FAULTS:
            raise UsageError(
                f"--fault world:{text}: there is no such fault", f"Write one of {', '.join(sorted(WORLD_FAULTS))}."
            )
        if equals and not (when in ("before", "after") and step):
            raise UsageError(
                f"--fault world:{text}: {moment!r} is not a moment", f"Write world:{name}=before:STEP, or after:STEP."
            )
        return cls(name, when, step)

    def __str__(self) -> str:
        return f"{self.name}={self.when}:{self.step}" if self.when else self.name


@dataclass(frozen=True)
class Striking:
    """Has such a fault happen once; a marker in a directory says that it did.

    Attributes:
        fault: The fault.
        release: What it happens to.
        place: The directory with the markers.
    """

    fault: WorldFault
    release: Release
    place: Path

    @property
    def marker(self) -> Path:
        """What is there once it happened."""
        return self.place / "faults" / hashlib.sha256(str(self.fault).encode()).hexdigest()[:8]

    def begin(self) -> None:
        """Strike before the run."""
        if not self.fault.when:
            self.strike()

    def phase(self, name: str, title: str) -> None:
        """Nothing happens between phases."""

    def noted(self, step: str, text: str) -> None:
        """Nothing happens within a step."""

    def progress(self, step: str, text: str, done: int | None = None, total: int | None = None) -> None:
        """Nothing happens within a step."""

    def started(self, step: str, _title: str) -> None:
        """Strike before the step does anything."""
        if (self.fault.when, self.fault.step) == ("before", step):
            self.strike()

    def finished(self, step: str, _title: str, _outcome: Outcome, _seconds: float) -> None:
        """Strike when the step's fact holds."""
        if (self.fault.when, self.fault.step) == ("after", step):
            self.strike()

    def strike(self) -> None:
        """Have it happen, unless it did."""
        if self.marker.exists():
            return
        WORLD_FAULTS[self.fault.name](self.release)
        self.marker.parent.mkdir(parents=True, exist_ok=True)
        self.marker.touch()
