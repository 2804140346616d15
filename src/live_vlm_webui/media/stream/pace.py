"""Compare time stamps with the clock: play a file in real time, measure the lag of a camera."""

from __future__ import annotations

import math
import threading
import time

JUMP_SECONDS = 5.0
"""A larger jump of the time stamps, in either direction, restarts the clock."""
DRIFT = 0.001
"""The share by which a camera's clock may be slower than ours."""


class Clock:
    """Delays the frames of a file until they are due.

    Args:
        stop: Ends any wait.
        fps: The frame rate for frames without time stamps, and for the duration of the last one.
    """

    def __init__(self, stop: threading.Event, fps: float) -> None:
        self._stop = stop
        self._period = 1 / fps
        self._began: float | None = None
        self._last = 0.0

    def wait_for(self, at: float | None) -> None:
        """Wait until a frame with time stamp ``at``, in seconds, is due; with None, until one period after the last."""
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
        """Wait for the end of the last frame, and restart the clock with the next one."""
        self.wait_for(None)
        self._began = None


class Lag:
    """The delay of the packets being read behind the camera, from their time stamps."""

    def __init__(self) -> None:
        self._least = math.inf
        self._seen_at = 0.0

    def of(self, stamp: float, now: float) -> float:
        """Return the seconds by which this packet is later than the earliest one.

        Args:
            stamp: Its time stamp by the camera's clock, in seconds.
            now: When it was read, in seconds.
        """
        late = now - stamp
        self._least = min(self._least + DRIFT * (now - self._seen_at), late)
        if late - self._least > JUMP_SECONDS:  # the camera's clock was changed
            self._least = late
        self._seen_at = now
        return late - self._least
