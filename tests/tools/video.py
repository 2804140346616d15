"""Video for tests: scenes that move, encoded once and then sent as often as needed.

A scene is drawn by a formula of its number, so that a test can tell which frame it got and whether its colours are
right. Nothing here needs another program: PyAV brings the encoders.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

CLOCK_RATE = 90_000
ENCODERS = {"h264": "libx264", "vp8": "libvpx"}
REAL_TIME = {
    "h264": {"preset": "veryfast", "tune": "zerolatency", "profile": "baseline", "x264-params": "slices=1"},
    "vp8": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
}


@dataclass(frozen=True)
class Packet:
    """One encoded frame.

    Attributes:
        data: H.264 with start codes, or VP8.
        timestamp: In units of 1/``CLOCK_RATE`` seconds, from 0.
        key: Whether decoding can begin here.
    """

    data: bytes
    timestamp: int
    key: bool


@dataclass(frozen=True)
class Clip:
    """Encoded video.

    Attributes:
        codec: ``h264`` or ``vp8``.
        width: In pixels.
        height: In pixels.
        fps: Frames per second.
        packets: In the order of their time stamps; the first is a key frame, and again one each ``fps`` frames.
    """

    codec: str
    width: int
    height: int
    fps: int
    packets: tuple[Packet, ...]

    @property
    def duration(self) -> int:
        """In units of 1/``CLOCK_RATE`` seconds."""
        return len(self.packets) * CLOCK_RATE // self.fps


def scene(number: int, width: int, height: int) -> np.ndarray:
    """Draw the frame of this number: a textured wall that pans, and a block that crosses it, as (height, width, 3)."""
    rows, columns = np.arange(height), np.arange(width) + 3 * number
    waves = np.outer(np.cos(rows / 23), 50 * np.sin(columns / 37)).astype(np.float32)
    wall = 90 + waves + 12 * (np.add.outer(rows * 4, columns * 4) % 5)
    image = np.empty((height, width, 3), np.uint8)
    image[..., 0] = wall
    image[..., 1] = wall * 0.9 + (rows * 40 / height)[:, np.newaxis]
    image[..., 2] = 200 - wall * 0.6
    side = max(8, height // 4)
    left, top = (9 * number) % max(1, width - side), (height - side) // 2
    image[top : top + side, left : left + side] = (220, 60, 40)
    return image


def plain(colour: tuple[int, int, int], width: int, height: int) -> np.ndarray:
    """A picture of one colour, as (height, width, 3)."""
    return np.full((height, width, 3), colour, np.uint8)


def encode(
    codec: str = "h264",
    *,
    width: int = 320,
    height: int = 180,
    fps: int = 30,
    seconds: float = 1,
    bit_rate: int = 400_000,
    colour: tuple[int, int, int] | None = None,
) -> Clip:
    """Encode a clip as a camera in a call does: no frames out of order, constant bit rate."""
    context = av.CodecContext.create(ENCODERS[codec], "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, fps), Fraction(fps)
    context.bit_rate, context.gop_size, context.thread_count = bit_rate, fps, 1
    context.options = {**REAL_TIME[codec], "maxrate": str(bit_rate), "bufsize": str(bit_rate // 2)}
    packets: list[Packet] = []
    for number in range(round(seconds * fps)):
        pixels = scene(number, width, height) if colour is None else plain(colour, width, height)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
        frame.pts = number
        packets += [_packet(one, fps) for one in context.encode(frame)]
    packets += [_packet(one, fps) for one in context.encode(None)]
    return Clip(codec, width, height, fps, tuple(packets))


def _packet(packet: av.Packet, fps: int) -> Packet:
    assert packet.pts is not None
    return Packet(bytes(packet), packet.pts * CLOCK_RATE // fps, packet.is_keyframe)


def save(clip: Clip, path: Path) -> Path:
    """Write a clip to a file whose ending says in which container."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(ENCODERS[clip.codec], rate=clip.fps)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, "yuv420p"
        stream.codec_context.options = {**REAL_TIME[clip.codec]}
        decoder = av.CodecContext.create(clip.codec, "r")
        for packet in clip.packets:
            for frame in decoder.decode(av.Packet(packet.data)):
                frame.pts, frame.time_base = packet.timestamp, Fraction(1, CLOCK_RATE)
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
