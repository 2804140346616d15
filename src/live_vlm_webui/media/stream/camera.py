"""A camera or file that the server reads in a thread, reconnecting until it is closed."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from live_vlm_webui.errors import CameraError
from live_vlm_webui.media.camera import Camera
from live_vlm_webui.media.stream.address import Address

if TYPE_CHECKING:
    import av

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
"""Seconds between attempts: doubled each time, and varied by a fifth so that cameras do not reconnect in step."""
STEADY_SECONDS = 10.0
"""After a stream delivered frames for this long, the first pause is used again."""
CLOSE_SECONDS = 0.5

STALLED = "The camera has sent no frame for some seconds."


class StreamCamera(Camera):
    """Reads an address and reconnects by itself.

    Closing interrupts any wait except a name lookup, which lasts as long as the system allows; its thread then still
    runs (``is_running``) but delivers nothing.

    Args:
        address: The address to read.
    """

    kind = "stream"

    def __init__(self, address: Address) -> None:
        super().__init__(address.name)
        self._address = address
        self._stop = threading.Event()
        self._ended = asyncio.Event()
        self._first_shown: float | None = None
        self._watch_for_stalls(STALLED)
        # A daemon, so that a name lookup does not delay the end of the process.
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether its thread is still running."""
        return not self._ended.is_set()

    async def close(self) -> None:
        """Stop reading, immediately even if the host does not respond."""
        self._stop.set()
        self._end()
        try:
            await asyncio.wait_for(self._ended.wait(), CLOSE_SECONDS)
        except asyncio.TimeoutError:
            logger.debug("the lookup of %s is still running; its thread ends by itself", self._address.name)

    def _run(self) -> None:
        from live_vlm_webui.media.stream.reader import play

        pause, logged = FIRST_PAUSE, ""
        while not self._stop.is_set():
            self._first_shown = None
            try:
                play(self._address, self._stop, self._show_unless_stopped)
                continue
            except CameraError as error:
                lost = error
            except Exception as error:  # noqa: BLE001 - logged without its text, which may contain the address
                logger.warning("reading %s failed: %s", self._address.name, type(error).__name__)
                lost = CameraError("unreadable", f"{self._address.name} cannot be read", "Check the server's log.")
            if self._stop.is_set():
                break
            if self._was_steady():
                pause, logged = FIRST_PAUSE, ""
            if lost.message != logged:  # a camera that is off all night must not fill the log
                logger.info("%s", lost.message)
                logged = lost.message
            self._call(self._lost, lost)
            self._stop.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            pause = min(LONGEST_PAUSE, pause * 2)
        self._call(self._ended.set)

    def _was_steady(self) -> bool:
        return self._first_shown is not None and time.monotonic() - self._first_shown > STEADY_SECONDS

    def _show_unless_stopped(self, image: av.VideoFrame) -> None:
        if not self._stop.is_set():
            self._first_shown = self._first_shown or time.monotonic()
            self._show(image)

    def _call(self, what: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:  # the event loop is closed
            self._stop.set()

    def _lost(self, error: CameraError) -> None:
        if self.status.state != "ended":
            self._become(replace(self.status, state="lost", detail=error.sentences))
