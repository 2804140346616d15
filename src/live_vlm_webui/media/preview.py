"""Small pictures of a camera for people: compressed once for all viewers, and only while there are any."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from live_vlm_webui.media.camera import Camera, CameraStatus
from live_vlm_webui.media.frame import FrameSlot
from live_vlm_webui.media.picture import LONG_SIDE, QUALITY, Picture

if TYPE_CHECKING:
    import av

logger = logging.getLogger(__name__)

FPS = 10.0


class Previews:
    """The previews of all cameras.

    Args:
        executor: Runs scaling and compression; None uses the event loop's default.
        fps: The most pictures per second.
        long_side: The longer side of the pictures, in pixels.
        quality: The JPEG quality.
    """

    def __init__(
        self,
        executor: Executor | None = None,
        fps: float = FPS,
        long_side: int = LONG_SIDE,
        quality: int = QUALITY,
    ) -> None:
        self._executor = executor
        self._period = 1 / fps
        self._long_side = long_side
        self._quality = quality
        self._strips: dict[FrameSlot, _Strip] = {}

    async def pictures(self, camera: Camera) -> AsyncGenerator[Picture, None]:
        """Yield each new picture until the camera ends; a slow reader misses some.

        Close the generator when it is no longer needed.
        """
        strip = self._strips.get(camera.slot)
        if strip is None:
            strip = self._strips[camera.slot] = _Strip()
            strip.task = asyncio.ensure_future(self._make(camera.slot, strip))
        strip.viewers += 1
        ended = asyncio.ensure_future(_end_of(camera))
        number = 0
        try:
            while not ended.done():
                waiting = asyncio.ensure_future(strip.after(number))
                try:
                    await asyncio.wait((waiting, ended), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not waiting.done():
                        waiting.cancel()
                if waiting.done() and not waiting.cancelled():
                    number, picture = waiting.result()
                    yield picture
        finally:
            ended.cancel()
            strip.viewers -= 1
            if strip.viewers == 0 and strip.task is not None:
                del self._strips[camera.slot]
                strip.task.cancel()

    async def _make(self, slot: FrameSlot, strip: _Strip) -> None:
        loop = asyncio.get_running_loop()
        number = 0
        while True:
            began = loop.time()
            frame = await slot.after(number)
            number = frame.number
            try:
                picture = await loop.run_in_executor(
                    self._executor, compress, frame.image, self._long_side, self._quality
                )
            except Exception:  # the next frame may be fine
                logger.exception("compressing a frame failed")
            else:
                strip.put(picture)
            await asyncio.sleep(max(0.0, began + self._period - loop.time()))


class _Strip:
    """The newest picture of a camera, and a future for the next one."""

    def __init__(self) -> None:
        self.viewers = 0
        self.task: asyncio.Task[None] | None = None
        self._number = 0
        self._picture: Picture | None = None
        self._next = asyncio.get_running_loop().create_future()

    def put(self, picture: Picture) -> None:
        self._number += 1
        self._picture = picture
        self._next.set_result(None)
        self._next = asyncio.get_running_loop().create_future()

    async def after(self, number: int) -> tuple[int, Picture]:
        while self._picture is None or self._number <= number:
            await asyncio.shield(self._next)
        return self._number, self._picture


def compress(image: av.VideoFrame, long_side: int, quality: int) -> Picture:
    """Scale and compress a frame, in a worker thread, which imports what that needs."""
    from live_vlm_webui.media import jpeg

    return jpeg.compress(image, long_side, quality)


async def _end_of(camera: Camera) -> None:
    """Wait until the camera ends."""
    ended = asyncio.Event()

    def heard(status: CameraStatus) -> None:
        if status.state == "ended":
            ended.set()

    leave = camera.watch(heard)
    try:
        heard(camera.status)
        await ended.wait()
    finally:
        leave()
