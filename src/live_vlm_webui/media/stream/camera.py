"""A camera or file that the server reads itself, in a thread of its own, again and again until it is closed."""

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
"""Seconds between attempts: doubled each time, a fifth more or less by chance so that cameras do not come in step."""
STEADY_SECONDS = 10.0
"""A stream that showed frames for so long starts with the first pause again."""
CLOSE_SECONDS = 0.5

STALLED = "No frame has come from the camera for some seconds."


class StreamCamera(Camera):
    """Reads an address from now on, and reconnects by itself.

    Closing interrupts it wherever it waits, but for the look-up of a name; that goes on for as long as the system lets
    it, and nothing is shown meanwhile. ``is_running`` tells.

    Args:
        address: What to read.
    """

    kind = "stream"

    def __init__(self, address: Address) -> None:
        super().__init__(address.name)
        self._address = address
        self._stop = threading.Event()
        self._ended = asyncio.Event()
        self._first_shown: float | None = None
        self._watch_for_stalls(STALLED)
        # A daemon, so that a name that is looked up does not keep the process from its end.
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether its thread has not ended yet."""
        return not self._ended.is_set()

    async def close(self) -> None:
        """Stop reading, at once even if the host is silent."""
        self._stop.set()
        self._end()
        try:
            await asyncio.wait_for(self._ended.wait(), CLOSE_SECONDS)
        except asyncio.TimeoutError:
            logger.debug("%s is still being looked up: its thread ends by itself", self._address.name)

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
            except Exception as error:  # noqa: BLE001 - told without its text, which may hold the address
                logger.warning("reading %s failed: %s", self._address.name, type(error).__name__)
                lost = CameraError("unreadable", f"{self._address.name} cannot be read.", "See the server's log.")
            if self._stop.is_set():
                break
            if self._was_steady():
                pause, logged = FIRST_PAUSE, ""
            if lost.message != logged:  # a camera that is off for a night fills no log
                logger.info("%s", lost.message)
                logged = lost.message
            self._tell(self._lost, lost)
            self._stop.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
            pause = min(LONGEST_PAUSE, pause * 2)
        self._tell(self._ended.set)

    def _was_steady(self) -> bool:
        return self._first_shown is not None and time.monotonic() - self._first_shown > STEADY_SECONDS

    def _show_unless_stopped(self, image: av.VideoFrame) -> None:
        if not self._stop.is_set():
            self._first_shown = self._first_shown or time.monotonic()
            self._show(image)

    def _tell(self, what: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:  # the loop is closed, and nobody listens
            self._stop.set()

    def _lost(self, error: CameraError) -> None:
        if self.status.state != "ended":
            self._become(replace(self.status, state="lost", detail=f"{error.message} {error.remedy}"))
