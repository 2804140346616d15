"""The base of all cameras, whatever their source."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal

from live_vlm_webui.media.frame import FrameSlot

if TYPE_CHECKING:
    import av

logger = logging.getLogger(__name__)

Kind = Literal["webrtc", "websocket", "stream", "picture"]
State = Literal["connecting", "live", "stalled", "lost", "ended"]

STALL_SECONDS = 4.0
"""How long a live camera may deliver no frame before it counts as stalled."""
CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class CameraStatus:
    """The kind, state and size of a camera.

    Attributes:
        kind: How frames arrive: ``webrtc`` or ``websocket`` from a browser, ``stream`` from an RTSP host or a file,
            ``picture`` for an uploaded picture.
        state: ``connecting``; ``live``: frames arrive; ``stalled``: none for a while; ``lost``: the server or the
            browser reconnects; ``ended``: no more will arrive.
        detail: What happened and what to do, as sentences, for ``stalled``, ``lost`` and ``ended``; else empty.
        width: The width of the upright frames, in pixels; 0 before the first.
        height: Their height, in pixels.
        source: Its name: an address without credentials, or a file's name; empty for a browser's camera.
    """

    kind: Kind
    state: State = "connecting"
    detail: str = ""
    width: int = 0
    height: int = 0
    source: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the status as sent to browsers."""
        return asdict(self)


class Camera(ABC):
    """A source of frames: ``slot`` holds the newest, ``status`` its state.

    Created and used in the event loop; subclasses may decode in their own threads.
    """

    kind: Kind

    def __init__(self, source: str = "") -> None:
        self.slot = FrameSlot()
        self._loop = asyncio.get_running_loop()
        self._status = CameraStatus(self.kind, source=source)
        self._watchers: list[Callable[[CameraStatus], None]] = []
        self._shown = (0, 0)
        self._check: asyncio.TimerHandle | None = None

    @property
    def status(self) -> CameraStatus:
        """The current status."""
        return self._status

    def watch(self, watcher: Callable[[CameraStatus], None]) -> Callable[[], None]:
        """Call ``watcher`` in the event loop each time the status changes.

        Returns:
            A function that removes the watcher.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    @abstractmethod
    async def close(self) -> None:
        """Free all resources; no frame arrives afterwards. Closing twice does nothing."""

    def _show(self, image: av.VideoFrame) -> None:
        """Make ``image`` the newest frame and the camera live, from any thread."""
        self.slot.put(image)
        size = (image.height, image.width) if image.rotation % 180 else (image.width, image.height)
        if self._status.state != "live" or size != self._shown:
            self._shown = size
            self._loop.call_soon_threadsafe(self._went_live, *size)

    def _went_live(self, width: int, height: int) -> None:
        if self._status.state != "ended":
            self._become(replace(self._status, state="live", detail="", width=width, height=height))

    def _watch_for_stalls(self, detail: str) -> None:
        """Become ``stalled`` with this detail whenever no frame arrived for ``STALL_SECONDS``, from now on."""
        newest = self.slot.newest
        if self._status.state == "live" and newest and time.monotonic() - newest.decoded_at > STALL_SECONDS:
            self._become(replace(self._status, state="stalled", detail=detail))
        self._check = self._loop.call_later(CHECK_SECONDS, self._watch_for_stalls, detail)

    def _end(self, detail: str = "") -> None:
        """Become ``ended``, which is final."""
        if self._check is not None:
            self._check.cancel()
        if self._status.state != "ended":
            self._become(replace(self._status, state="ended", detail=detail))

    def _become(self, status: CameraStatus) -> None:
        """Set a new status and call the watchers, if it differs."""
        if status == self._status:
            return
        self._status = status
        for watcher in tuple(self._watchers):
            try:
                watcher(status)
            except Exception:  # must not affect the other watchers
                logger.exception("a watcher of a camera failed")
