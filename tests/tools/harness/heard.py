"""What a step tells while it waits, on a clock whose waits take no time and let the world go on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from unhurried_clock import UnhurriedClock


class Heard:
    """What was told and noted.

    Attributes:
        told: Each text of progress.
        counted: What was counted with it.
        notes: What was noted.
        stop: The stop signal.
        clock: The clock to wait by.
    """

    def __init__(self) -> None:
        self.told: list[str] = []
        self.counted: list[tuple[int | None, int | None]] = []
        self.notes: list[str] = []
        self.stop = threading.Event()
        self.clock = _Clock()

    def tell(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Keep what is told."""
        self.told.append(text)
        self.counted.append((done, total))

    def after(self, waits: int, do: Callable[[], None], *, when: Callable[[], bool] = lambda: True) -> None:
        """Do something once, in the first wait but so many in which a condition holds."""
        self.clock.due.append([waits, when, do])


class _Clock(UnhurriedClock):
    def __init__(self) -> None:
        super().__init__()
        self.due: list[list] = []

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        for one in [one for one in self.due if one[1]()]:
            one[0] -= 1
            if one[0] < 0:
                self.due.remove(one)
                one[2]()
        return super().wait(stop, seconds)
