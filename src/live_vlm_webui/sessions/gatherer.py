"""Collect the earlier frames of a question about motion while the model answers the previous one."""

from __future__ import annotations

import asyncio
import time

from live_vlm_webui.media.frame import Frame, FrameSlot
from live_vlm_webui.sessions.sampling import Reel

PROMPTNESS_SECONDS = 0.02


class Gatherer:
    """Fills a reel from a slot, one frame every ``spacing`` seconds, in a task.

    Args:
        slot: The camera's slot.
        length: Frames per question, 2 or more.
        spacing: Seconds between frames.
    """

    def __init__(self, slot: FrameSlot, length: int, spacing: float) -> None:
        self._slot = slot
        self._reel: Reel[Frame] = Reel(length, spacing)
        self._task = asyncio.ensure_future(self._gather())

    async def frames(self, newest: Frame) -> tuple[Frame, ...]:
        """Return the frames of a question, oldest first, when there are enough.

        Args:
            newest: The newest frame; replaced by a newer one if waiting is necessary.
        """
        while (patience := self._reel.ready_at() - time.monotonic()) > 0:
            until_next = max(0.0, self._reel.due() - time.monotonic()) + PROMPTNESS_SECONDS
            await asyncio.sleep(min(patience, until_next))
            newest = self._slot.newest or newest
        return self._reel.with_newest(newest)

    def close(self) -> None:
        """Stop, and drop the frames."""
        self._task.cancel()
        self._reel.clear()

    async def _gather(self) -> None:
        number = 0
        while True:
            frame = await self._slot.after(number)
            number = frame.number
            self._reel.offer(frame)
            await asyncio.sleep(max(0.0, self._reel.due() - time.monotonic()))
