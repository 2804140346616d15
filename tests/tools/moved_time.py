"""Time that a test moves on, for what waits by an event loop's timers or reads `time.monotonic`."""

from __future__ import annotations

import asyncio
import time

import pytest


class MovedTime:
    """The clock of this process, ahead by what the test has added. Threads that wait are not woken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = 0.0
        running = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: running() + self._ahead)

    async def advance(self, seconds: float) -> None:
        """Add so many seconds, and let the timers that have run out by then be called, and what they start begin."""
        self._ahead += seconds
        for _ in range(5):
            await asyncio.sleep(0)
