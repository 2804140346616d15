"""Read a camera's stream or a video file with FFmpeg, in the calling thread.

FFmpeg can open far more than video, so its protocols and formats are restricted: no playlist leads elsewhere, and a
camera's redirects are followed only over RTSP. FFmpeg's error messages contain the whole address with the password, so
they are replaced by our own and not logged.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from typing import NoReturn

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from live_vlm_webui.errors import CameraError
from live_vlm_webui.media.stream.address import Address
from live_vlm_webui.media.stream.interrupt import interrupted_by
from live_vlm_webui.media.stream.pace import Clock, Lag

OPEN_SECONDS = 6.0
READ_SECONDS = 5.0
"""Without a packet for this long, the connection counts as lost. Not shorter: a timeout within a packet damages it."""
LAG_SECONDS = 2.0
"""How far decoding may lag behind the camera before only key frames are decoded, until it has caught up."""
CAUGHT_UP_SECONDS = 0.3
MAX_DAMAGED = 250
"""Consecutive packets that cannot be decoded: ten seconds."""
MAX_PIXELS = 8192 * 4608
DEFAULT_FPS = 25
CONVERT = "Convert it to H.264 in MP4."

CAMERA_OPTIONS = {
    "protocol_whitelist": "rtsp,rtp,rtcp,udp,tcp,tls",
    "tls_verify": "0",  # cameras make their certificates themselves, and FFmpeg 9 (PyAV 19) would refuse those
    "format_whitelist": "rtsp,sdp,rtp",
    "rtsp_flags": "prefer_tcp",
    "allowed_media_types": "video",
    "analyzeduration": "500000",  # microseconds
    "fflags": "nobuffer",
}
FILE_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,ivf,flv,ogg",
}

Show = Callable[[VideoFrame], None]


def play(address: Address, stop: threading.Event, show: Show) -> None:
    """Pass frames to ``show`` until ``stop`` is set; play a file in a loop.

    Raises:
        CameraError: It cannot be opened or read, or a camera ended its stream.
    """
    with interrupted_by(stop):
        container = _opened(address)
    with container:  # closed outside the block below, so that the RTSP session is ended properly
        if not container.streams.video:
            raise CameraError(
                "no-video", f"{address.name} has no video", "Choose another stream of the camera, or another file."
            )
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1  # more threads cost more in total and delay frames
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        with interrupted_by(stop):
            if address.live:
                _play_camera(address, container, stream, stop, show)
            else:
                _play_file(address, container, stream, stop, show)


def _play_camera(
    address: Address, container: InputContainer, stream: VideoStream, stop: threading.Event, show: Show
) -> None:
    damaged, lag, skipping = 0, Lag(), False
    for packet in _packets(address, container, stream):
        if stop.is_set():
            return
        if packet.pts is not None and packet.time_base is not None:
            behind = lag.of(float(packet.pts * packet.time_base), time.monotonic())
            if behind > LAG_SECONDS and not skipping:
                skipping, stream.codec_context.skip_frame = True, "NONKEY"
            elif skipping and behind < CAUGHT_UP_SECONDS and packet.is_keyframe:
                skipping, stream.codec_context.skip_frame = False, "DEFAULT"
        damaged = _decode(address, packet, damaged, show)
    raise CameraError(
        "unreachable",
        f"{address.name} ended its stream",
        "Check that the camera is on. The server reconnects by itself.",
    )


def _play_file(
    address: Address, container: InputContainer, stream: VideoStream, stop: threading.Event, show: Show
) -> None:
    clock = Clock(stop, float(stream.average_rate or DEFAULT_FPS))
    shown = 0

    def show_in_time(image: VideoFrame) -> None:
        nonlocal shown
        clock.wait_for(image.time)
        shown += 1
        if not stop.is_set():
            show(image)

    while not stop.is_set():
        damaged, before = 0, shown
        for packet in _packets(address, container, stream):
            damaged = _decode(address, packet, damaged, show_in_time)
            if stop.is_set():
                return
        if shown == before:
            raise CameraError("unreadable", f"No frame of {address.name} can be decoded", CONVERT)
        clock.restart()
        try:
            container.seek(0)
        except av.error.FFmpegError:
            return  # to be reopened


def _packets(address: Address, container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    began = time.monotonic()
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except av.error.FFmpegError as error:
            _explain(address, error, time.monotonic() - began)
        began = time.monotonic()
        yield packet


def _decode(address: Address, packet: Packet[VideoStream], damaged: int, show: Show) -> int:
    """Pass the frames of a packet to ``show``.

    Returns:
        How many packets in a row could not be decoded.
    """
    try:
        frames = packet.decode()
    except av.error.FFmpegError:
        if damaged >= MAX_DAMAGED:
            raise CameraError(
                "unreadable", f"The video of {address.name} cannot be decoded", "Set the camera to H.264 or H.265."
            ) from None
        return damaged + 1
    for frame in frames:
        if isinstance(frame, VideoFrame):
            show(frame)
    return 0


def _opened(address: Address) -> InputContainer:
    began = time.monotonic()
    try:
        return av.open(
            address.url.reveal(),
            options=CAMERA_OPTIONS if address.live else FILE_OPTIONS,
            timeout=(OPEN_SECONDS, READ_SECONDS),
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        _explain(address, error, time.monotonic() - began)


UNREACHABLE = frozenset(
    {
        errno.ECONNREFUSED,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ECONNRESET,
        errno.EPIPE,
        errno.EIO,
        errno.ENETDOWN,
    }
)


def _explain(address: Address, error: Exception, seconds: float) -> NoReturn:
    """Raise the cause of ``error`` without FFmpeg's message, which contains the address."""
    name, number = address.name, getattr(error, "errno", None)
    silent = isinstance(error, (av.error.ExitError, TimeoutError)) or number == errno.ETIMEDOUT
    if isinstance(error, av.error.HTTPUnauthorizedError):
        found = CameraError(
            "unauthorised",
            f"{name} rejected the user name or password, or requires them",
            "Use rtsp://USER:PASSWORD@HOST/PATH.",
        )
    elif isinstance(error, av.error.HTTPClientError) or number == errno.EPROTONOSUPPORT:
        found = CameraError(
            "refused", f"The host of {name} responds but has no such stream", "Look up the path in the camera's manual."
        )
    elif silent or (address.live and seconds >= OPEN_SECONDS - 0.5):
        found = CameraError(
            "timeout", f"{name} does not respond", "Check that the camera is on and that the port is right."
        )
    elif address.live and number in UNREACHABLE:
        found = CameraError(
            "unreachable", f"The host of {name} cannot be reached", "Check its name and port, and that it is on."
        )
    else:
        remedy = "Check that the port is the RTSP port." if address.live else CONVERT
        found = CameraError("unreadable", f"{name} sends no readable video", remedy)
    raise found from None
