"""Pictures sent one by one: JPEGs over a WebSocket if WebRTC cannot connect, or an uploaded picture."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Literal

from live_vlm_webui.errors import ConflictError, InputError
from live_vlm_webui.media.camera import Camera
from live_vlm_webui.media.still import MAX_BYTES, Still, decode, inspect

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""The largest frame over a WebSocket."""
CLOSE_SECONDS = 1.0

STALLED = "The browser has sent no picture for some seconds. Bring its page to the front, or reload it."


class PushCamera(Camera):
    """A camera whose pictures are pushed to it; they are decoded outside the event loop.

    Args:
        kind: ``websocket`` for a sequence of pictures, ``picture`` for one.
        executor: Runs the decoding; None uses the event loop's default.
        source: Its name, such as the file's name.
    """

    def __init__(
        self, kind: Literal["websocket", "picture"], executor: Executor | None = None, source: str = ""
    ) -> None:
        self.kind = kind
        super().__init__(source)
        self._executor = executor
        self._waiting: Still | None = None
        self._decoding: asyncio.Task[None] | None = None
        self._damaged: InputError | None = None
        self._closed = False
        if kind == "websocket":
            self._watch_for_stalls(STALLED)

    async def push(self, data: bytes) -> None:
        """Make a picture the newest frame.

        For an uploaded picture, wait until it is decoded. For a sequence, return at once: while one is decoded, only
        the latest of the following waits, and the next call reports if it was damaged.

        Args:
            data: A JPEG, PNG or WebP.

        Raises:
            InputError: It is not a picture, too large, or it (in a sequence: the previous one) is damaged.
            ConflictError: The camera is closed.
        """
        if self._closed:
            raise ConflictError("The camera is closed", "Connect it again.")
        damaged, self._damaged = self._damaged, None
        if damaged is not None:
            raise damaged
        self._waiting = inspect(data, MAX_BYTES if self.kind == "picture" else MAX_MESSAGE_BYTES)
        if self._decoding is None or self._decoding.done():
            self._decoding = asyncio.ensure_future(self._decode())
        if self.kind == "picture":
            await asyncio.shield(self._decoding)
            damaged, self._damaged = self._damaged, None
            if damaged is not None:
                raise damaged

    async def close(self) -> None:
        """End the camera and discard the picture that is being decoded."""
        self._closed = True
        self._waiting = None
        self._end()
        if self._decoding is not None:
            await asyncio.wait([self._decoding], timeout=CLOSE_SECONDS)

    async def _decode(self) -> None:
        while self._waiting is not None:
            still, self._waiting = self._waiting, None
            try:
                image = await self._loop.run_in_executor(self._executor, decode, still)
            except InputError as error:
                self._damaged = error
            else:
                if not self._closed:
                    self.slot.put(image)
                    self._went_live(image.width, image.height)
