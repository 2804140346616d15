"""The clock of the engine's waits, on which a wait takes no time and moves the clock instead."""

from __future__ import annotations

import threading

from releaser.core.activity import Clock


class UnhurriedClock(Clock):
    """A clock that starts at 0 and moves by each wait; `waits` holds the seconds of each."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        self.waits.append(seconds)
        self.time += seconds
        return stop.is_set()
