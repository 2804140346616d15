"""Decode a browser's video in a thread, at most one second late.

Each frame depends on the previous one. If the machine cannot keep up, waiting frames are dropped and a key frame is
requested, from which decoding can restart.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

import av
from av.codec.context import CodecContext, Flags
from av.video.codeccontext import VideoCodecContext

logger = logging.getLogger(__name__)

MAX_WAITING = 30
"""In frames: one second."""
MAX_WAITING_BYTES = 4 * 1024 * 1024
MAX_PIXELS = 4096 * 2304
KEY_FRAME_SECONDS = 1.0
"""The time between two requests for a key frame."""

DECODERS = {"H264": "h264", "VP8": "vp8"}
"""FFmpeg's own VP8 decoder needs four fifths of libvpx's time, and no threads."""
INSTANTANEOUS_REFRESH = 5


class Decoder:
    """A thread that decodes frames in order.

    Args:
        show: Called in the thread with each decoded frame.
        ask_key_frame: Called in any thread when decoding needs a key frame.
    """

    def __init__(self, show: Callable[[av.VideoFrame], None], ask_key_frame: Callable[[], None]) -> None:
        self._show = show
        self._ask_key_frame = ask_key_frame
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._needs_key_frame = False
        self._asked_at = -KEY_FRAME_SECONDS
        self._thread: threading.Thread | None = None

    def feed(self, codec: str, data: bytes) -> None:
        """Queue a frame for decoding; return at once.

        Args:
            codec: ``H264`` or ``VP8``.
            data: A compressed frame; H.264 with start codes.
        """
        with self._changed:
            if self._closed:
                return
            if len(self._waiting) >= MAX_WAITING or self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
                self._forget()
                self._needs_key_frame = True
            if self._needs_key_frame:
                if not is_key_frame(codec, data):
                    self._ask()
                    return
                self._needs_key_frame = False
            self._waiting.append((codec, data))
            self._waiting_bytes += len(data)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"decoder-{codec}", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """End the thread after the current frame; ``join`` waits for that."""
        with self._changed:
            self._closed = True
            self._forget()
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, at most ``seconds``."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _forget(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0

    def _ask(self) -> None:
        if time.monotonic() - self._asked_at >= KEY_FRAME_SECONDS:
            self._asked_at = time.monotonic()
            self._ask_key_frame()

    def _next(self) -> tuple[str, bytes] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            if self._closed:
                return None
            codec, data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            return codec, data

    def _run(self) -> None:
        context: VideoCodecContext | None = None
        context_codec = ""
        while (task := self._next()) is not None:
            codec, data = task
            if context is None or codec != context_codec:
                context, context_codec = _open(codec), codec
            try:
                for frame in context.decode(av.Packet(data)):
                    if not self._closed:
                        self._show(frame)
            except (av.FFmpegError, ValueError) as error:
                logger.debug("a frame cannot be decoded: %s", error)
                with self._changed:
                    self._ask()


def is_key_frame(codec: str, data: bytes) -> bool:
    """Return whether decoding can start with this frame."""
    if codec == "VP8":  # RFC 6386, section 9.1: the lowest bit of the first byte is 0
        return bool(data) and not data[0] & 1
    at = data.find(b"\x00\x00\x01")
    while at != -1 and at + 3 < len(data):
        if data[at + 3] & 0x1F == INSTANTANEOUS_REFRESH:
            return True
        at = data.find(b"\x00\x00\x01", at + 3)
    return False


def _open(codec: str) -> VideoCodecContext:
    context = CodecContext.create(DECODERS[codec], "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.flags |= Flags.low_delay  # frames come out of order in no call
    context.options = {"max_pixels": str(MAX_PIXELS)}
    return context
