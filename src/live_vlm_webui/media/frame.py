"""A decoded frame, and the slot that holds a camera's newest one."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av


@dataclass(frozen=True)
class Frame:
    """A decoded frame.

    Attributes:
        image: The decoder's output, not converted yet.
        number: 1, 2, 3 ... counting all frames of its slot, used or not.
        decoded_at: ``time.monotonic()`` when it was put into the slot, in seconds.
    """

    image: av.VideoFrame
    number: int
    decoded_at: float


class FrameSlot:
    """The newest frame of a camera: each frame replaces the last; there is no queue.

    Frames are put in from any thread and awaited in the event loop in which the slot was created.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._newest: Frame | None = None
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def newest(self) -> Frame | None:
        """The newest frame; None before the first."""
        return self._newest

    def put(self, image: av.VideoFrame) -> Frame:
        """Make ``image`` the newest frame. Wake the event loop only if it is awaited."""
        with self._lock:
            number = self._newest.number + 1 if self._newest else 1
            self._newest = frame = Frame(image, number, time.monotonic())
            awaited = bool(self._waiters)
        if awaited:
            self._loop.call_soon_threadsafe(self._wake)
        return frame

    async def after(self, number: int) -> Frame:
        """Wait for a frame whose number is greater than ``number``, and return the newest."""
        while True:
            with self._lock:
                if self._newest is not None and self._newest.number > number:
                    return self._newest
                waiter = self._loop.create_future()
                self._waiters.add(waiter)
            try:
                await waiter
            finally:
                with self._lock:
                    self._waiters.discard(waiter)

    def _wake(self) -> None:
        with self._lock:
            waiters = tuple(self._waiters)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
