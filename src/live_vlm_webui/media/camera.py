"""What all cameras have in common, however their frames arrive."""

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
"""How long no frame may come before a live camera counts as stalled."""
CHECK_SECONDS = 1.0


@dataclass(frozen=True)
class CameraStatus:
    """What a camera is and does.

    Attributes:
        kind: How frames arrive: ``webrtc`` or ``websocket`` from a browser, ``stream`` from an RTSP host or a file,
            ``picture`` one that was dropped.
        state: ``connecting``; ``live``: frames arrive; ``stalled``: none for a while; ``lost``: tried again by itself,
            or by the browser; ``ended``: no more will come.
        detail: What happened and what to do, as whole sentences, for ``stalled``, ``lost`` and ``ended``; else empty.
        width: Of the frames, in pixels, as they are shown; 0 before the first.
        height: Likewise.
        source: What to call it: an address without credentials, a file's name; empty for a browser's camera.
    """

    kind: Kind
    state: State = "connecting"
    detail: str = ""
    width: int = 0
    height: int = 0
    source: str = ""

    def to_json(self) -> dict[str, object]:
        """As it is told to browsers."""
        return asdict(self)


class Camera(ABC):
    """A source of frames: ``slot`` holds the newest, ``status`` says how it fares.

    Made and used in the event loop; subclasses may decode in threads of their own.
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
        """How it fares now."""
        return self._status

    def watch(self, watcher: Callable[[CameraStatus], None]) -> Callable[[], None]:
        """Call ``watcher`` in the event loop each time that the status becomes another.

        Returns:
            What ends that.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    @abstractmethod
    async def close(self) -> None:
        """Free all that it holds; no frame arrives afterwards. Closing twice does nothing."""

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
        """From now on become ``stalled`` with this detail whenever no frame came for ``STALL_SECONDS``."""
        newest = self.slot.newest
        if self._status.state == "live" and newest and time.monotonic() - newest.decoded_at > STALL_SECONDS:
            self._become(replace(self._status, state="stalled", detail=detail))
        self._check = self._loop.call_later(CHECK_SECONDS, self._watch_for_stalls, detail)

    def _end(self, detail: str = "") -> None:
        """Become ``ended``, for good."""
        if self._check is not None:
            self._check.cancel()
        if self._status.state != "ended":
            self._become(replace(self._status, state="ended", detail=detail))

    def _become(self, status: CameraStatus) -> None:
        """Take a new status and tell the watchers, if it differs."""
        if status == self._status:
            return
        self._status = status
        for watcher in tuple(self._watchers):
            try:
                watcher(status)
            except Exception:  # one watcher's fault is not the others'
                logger.exception("a watcher of the camera failed")
