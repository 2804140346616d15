"""Time stamps against the clock: a file is held back to real time, a camera is caught up with."""

from __future__ import annotations

import math
import threading
import time

JUMP_SECONDS = 5.0
"""Time stamps that leap further, either way, start a new clock."""
DRIFT = 0.001
"""By how much a camera's clock may be slower than ours."""


class Clock:
    """Holds the frames of a file back until they are due.

    Args:
        stop: Ends any wait.
        fps: For frames that do not tell their time, and for how long the last one is shown.
    """

    def __init__(self, stop: threading.Event, fps: float) -> None:
        self._stop = stop
        self._period = 1 / fps
        self._began: float | None = None
        self._last = 0.0

    def wait_for(self, at: float | None) -> None:
        """Wait until a frame of the time ``at``, in seconds, is due; of None until one period after the last."""
        now = time.monotonic()
        due = self._last + self._period if at is None else at
        if self._began is None:
            self._began = now - due
        delay = self._began + due - now
        if not -JUMP_SECONDS < delay < JUMP_SECONDS:
            self._began, delay = now + self._period - due, self._period
        self._last = due
        if delay > 0:
            self._stop.wait(delay)

    def restart(self) -> None:
        """Show the last frame for its time, and begin again with the next one, whatever its time."""
        self.wait_for(None)
        self._began = None


class Lag:
    """How far what is read lies behind what the camera sends, by the time stamps of its packets."""

    def __init__(self) -> None:
        self._least = math.inf
        self._seen_at = 0.0

    def of(self, stamp: float, now: float) -> float:
        """Seconds by which this packet is later than the promptest one.

        Args:
            stamp: Its time by the camera's clock, in seconds.
            now: When it was read, in seconds.
        """
        late = now - stamp
        self._least = min(self._least + DRIFT * (now - self._seen_at), late)
        if late - self._least > JUMP_SECONDS:  # the camera's clock was set
            self._least = late
        self._seen_at = now
        return late - self._least
