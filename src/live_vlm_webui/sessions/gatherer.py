"""Collects the earlier frames of questions about motion while the model still answers the last one."""

from __future__ import annotations

import asyncio
import time

from live_vlm_webui.media.frame import Frame, FrameSlot
from live_vlm_webui.sessions.sampling import Reel

PROMPTNESS_SECONDS = 0.02


class Gatherer:
    """Fills a reel from a slot, one frame every ``spacing`` seconds, in a task of its own.

    Args:
        slot: Whose frames.
        length: How many a question has, 2 or more.
        spacing: From one to the next, in seconds.
    """

    def __init__(self, slot: FrameSlot, length: int, spacing: float) -> None:
        self._slot = slot
        self._reel: Reel[Frame] = Reel(length, spacing)
        self._task = asyncio.ensure_future(self._gather())

    async def frames(self, newest: Frame) -> tuple[Frame, ...]:
        """The frames of a question, oldest first, as soon as there are enough.

        Args:
            newest: The question's; a newer one is taken if that has to be waited for.
        """
        while (patience := self._reel.ready_at() - time.monotonic()) > 0:
            until_next = max(0.0, self._reel.due() - time.monotonic()) + PROMPTNESS_SECONDS
            await asyncio.sleep(min(patience, until_next))
            newest = self._slot.newest or newest
        return self._reel.with_newest(newest)

    def close(self) -> None:
        """Stop, and let go of the frames."""
        self._task.cancel()
        self._reel.clear()

    async def _gather(self) -> None:
        number = 0
        while True:
            frame = await self._slot.after(number)
            number = frame.number
            self._reel.offer(frame)
            await asyncio.sleep(max(0.0, self._reel.due() - time.monotonic()))
