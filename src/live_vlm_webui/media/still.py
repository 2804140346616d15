"""Picture files: check the header of a JPEG, PNG or WebP before decoding it.

A small file can contain a picture that fills the memory, so its size in pixels is read from its header first. Other
parts that can expand are dropped (compressed texts and profiles of PNG) or limited (scans of JPEG).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NoReturn

from av.codec.context import CodecContext
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from live_vlm_webui.errors import InputError
from live_vlm_webui.media.jpeg import fitted, full_range_planes, upright

MAX_BYTES = 16 * 1024 * 1024
MAX_PIXELS = 25 * 1024 * 1024
MAX_SCANS = 64
"""The most scans of a progressive JPEG; each costs a pass over all its pixels, however few bytes it has."""
MAX_SIDE = 2560
"""Larger pictures are scaled down when decoded: no model uses more."""

REMEDY = "Send a JPEG, PNG or WebP."
PNG = b"\x89PNG\r\n\x1a\n"
PNG_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
TURNED = {3: 180, 4: 180, 5: 90, 6: 270, 7: 270, 8: 90}
MIRRORED = frozenset({2, 4, 5, 7})
"""Values of the orientation tag (Exif 2.32, section 4.6.4)."""
ORIENTATION_TAG = 0x0112
OTHERS = {
    b"GIF8": (0, "GIF"),
    b"BM": (0, "BMP"),
    b"%PDF": (0, "PDF"),
    b"<svg": (0, "SVG"),
    b"ftypheic": (4, "HEIC"),
    b"ftypmif1": (4, "HEIC"),
    b"ftypavif": (4, "AVIF"),
}


@dataclass(frozen=True)
class Still:
    """A checked picture.

    Attributes:
        codec: FFmpeg's name of the codec: ``mjpeg``, ``png`` or ``webp``.
        width: Its width, in pixels, before rotation.
        height: Its height, in pixels, before rotation.
        data: The file, without the parts that are not decoded.
        rotation: Degrees counter-clockwise by which to rotate it upright.
        mirror: Whether to mirror it, left to right, before that.
    """

    codec: str
    width: int
    height: int
    data: bytes
    rotation: int = 0
    mirror: bool = False


def inspect(data: bytes, max_bytes: int = MAX_BYTES) -> Still:
    """Read a file's header; fast enough for the event loop.

    Raises:
        InputError: It is not a supported picture, or is too large in bytes or pixels.
    """
    if len(data) > max_bytes:
        raise InputError(
            f"The picture has {len(data) / 2**20:.1f} MiB; the limit is {max_bytes / 2**20:.0f} MiB",
            "Scale it down or compress it more.",
        )
    try:
        if data.startswith(b"\xff\xd8"):
            still = _jpeg(data)
        elif data.startswith(PNG):
            still = _png(data)
        elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            still = _webp(data)
        else:
            _refuse(data)
    except (struct.error, IndexError):
        raise _cut_off() from None
    pixels = still.width * still.height
    if pixels == 0:
        raise InputError("The picture has no pixels", REMEDY)
    if pixels > MAX_PIXELS:
        raise InputError(
            f"The picture has {still.width} x {still.height} pixels; the limit is {MAX_PIXELS / 1e6:.0f} million",
            "Scale it down; models use at most a few million pixels.",
        )
    return still


def decode(still: Still) -> VideoFrame:
    """Decode a checked picture, in a worker thread.

    Returns:
        A frame like those of cameras: 4:2:0 in full range, upright, no side longer than ``MAX_SIDE``.

    Raises:
        InputError: It is damaged or incomplete.
    """
    if still.codec == "mjpeg":
        _check_scans(still.data)
    context = CodecContext.create(still.codec, "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    context.options = {"max_pixels": str(MAX_PIXELS)}
    try:
        frames = context.decode(Packet(still.data)) or context.decode(None)
        return _upright(frames[0], still)
    except (FFmpegError, ValueError, IndexError) as error:
        raise InputError("The picture is damaged and cannot be decoded", REMEDY) from error


def _upright(image: VideoFrame, still: Still) -> VideoFrame:
    is_turned = still.rotation or still.mirror or image.rotation
    if image.format.name == "yuvj420p" and not is_turned and max(image.width, image.height) <= MAX_SIDE:
        return image  # the format of browsers' canvases
    planes = full_range_planes(image, *fitted(image.width, image.height, MAX_SIDE))
    planes = upright(planes, still.rotation, mirror=still.mirror)
    height, width = planes[0].shape
    result = VideoFrame(width, height, "yuvj420p")
    for plane, values in zip(result.planes, planes, strict=True):
        rows, columns = values.shape
        padding = bytes(plane.line_size - columns)
        plane.update(b"".join(values[row].tobytes() + padding for row in range(rows)))
    return result


def _jpeg(data: bytes) -> Still:
    """Walk the segments to the frame header (ITU T.81, annex B)."""
    at, size, orientation = 2, None, 1
    while True:
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == 0xFFDA:
            break
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            size = struct.unpack_from(">HH", data, at + 5)
        elif marker == 0xFFE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _orientation(data[at + 10 : at + 2 + length])
        if marker < 0xFFC0 or length < 2:
            raise InputError("The JPEG is damaged", REMEDY)
        at += 2 + length
    if size is None:
        raise InputError("The JPEG is damaged", REMEDY)
    height, width = size
    return Still("mjpeg", width, height, data, TURNED.get(orientation, 0), orientation in MIRRORED)


def _check_scans(data: bytes) -> None:
    """Limit the scans; compressed data never contains 0xFF followed by such a marker."""
    if data.find(b"\xff\xd9", data.rfind(b"\xff\xda")) == -1:
        raise _cut_off()
    if data.count(b"\xff\xda") > MAX_SCANS:
        raise InputError("The JPEG has too many scans", "Save it as a baseline JPEG, not a progressive one.")


def _orientation(exif: bytes) -> int:
    """Return the tag's value in the first directory of a TIFF header; 1 (upright) if it is missing."""
    order = "<" if exif[:2] == b"II" else ">"
    try:
        (directory,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, entry)
            if tag == ORIENTATION_TAG:
                return int(value)
    except struct.error:
        pass
    return 1


def _png(data: bytes) -> Still:
    """Keep the chunks that make up the picture (RFC 2083, section 3)."""
    at, kept, ended = len(PNG), [PNG], False
    while not ended:
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            raise _cut_off()
        if kind in PNG_CHUNKS:
            kept.append(data[at : at + 12 + length])
        ended = kind == b"IEND"
        at += 12 + length
    if len(kept) < 3 or kept[1][4:8] != b"IHDR":
        raise InputError("The PNG is damaged", REMEDY)
    width, height = struct.unpack_from(">II", kept[1], 8)
    return Still("png", width, height, b"".join(kept))


def _webp(data: bytes) -> Still:
    """Read the first chunk (RFC 9649, section 2)."""
    (length,) = struct.unpack_from("<I", data, 4)
    if length + 8 > len(data):
        raise _cut_off()
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 2:
            raise InputError("The WebP is an animation", "Send a single picture: JPEG, PNG or WebP.")
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8 ":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        raise InputError("The WebP is damaged", REMEDY)
    return Still("webp", width, height, data)


def _cut_off() -> InputError:
    return InputError("The picture is incomplete", "Send the whole file.")


def _refuse(data: bytes) -> NoReturn:
    if not data:
        raise InputError("The picture is empty", REMEDY)
    for start, (at, name) in OTHERS.items():
        if data[at:].startswith(start):
            raise InputError(f"{name} pictures are not supported", "Save the picture as JPEG, PNG or WebP.")
    raise InputError("The file is not a picture", REMEDY)
