"""Scale a decoded frame and compress it to the JPEG for a model, in a worker thread.

The frame stays in YUV throughout. A JPEG contains full-range BT.601 (JFIF), so limited range and other matrices are
converted; the chroma planes are never expanded to RGB and back, which is most of the cost of an ordinary encoder.
"""

from __future__ import annotations

import threading
from typing import Any, TypeAlias

import av
import numpy as np
import simplejpeg
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from live_vlm_webui.media.picture import LONG_SIDE, QUALITY, Picture

Planes: TypeAlias = "tuple[np.ndarray[Any, np.dtype[np.uint8]], ...]"

LEAST_QUALITY = 10
"""Detailed pictures are compressed more to stay within ``BYTES``, but not below this quality. The most detailed
photograph tried, of grass, gets 12 and a structural similarity of 0.86 to the scaled frame; one of a coffee cup 30 and
0.91."""
BYTES = 20 * 1024
"""The size of a 640x360 JPEG above which its quality is lowered; larger pictures in proportion."""
PIXELS = 640 * 360

BLOCK = 16
"""Rows of luma in a block in 4:2:0."""
SAMPLED = 5
"""The size is estimated from every fifth row of blocks: within 6 % on photographs, for a tenth of the work."""
MARGIN = 0.93
ROOT = 1.8
"""Sizes of photographs fall with this root of the factor on the quantisation tables; noise falls faster."""
HEADER_BYTES = 620


def compress(image: av.VideoFrame, long_side: int = LONG_SIDE, quality: int = QUALITY) -> Picture:
    """Scale a frame, turn it upright and compress it.

    Args:
        image: A decoded frame in any pixel format; not modified.
        long_side: The longer side of the picture, in pixels; smaller frames keep their size.
        quality: The JPEG quality, 1 to 100; lowered, but not below ``LEAST_QUALITY``, to stay within ``BYTES``.
    """
    planes = upright(full_range_planes(image, *fitted(image.width, image.height, long_side)), image.rotation)
    height, width = planes[0].shape
    jpeg: bytes = simplejpeg.encode_jpeg_yuv_planes(*planes, quality=affordable(planes, quality))
    return Picture(jpeg, width, height)


def affordable(planes: Planes, quality: int) -> int:
    """Return ``quality``, or less if a sample shows that the JPEG would exceed ``BYTES``.

    libjpeg multiplies its quantisation tables by 50 / quality, or by 2 - quality / 50 above 50.
    """
    height, width = planes[0].shape
    if height < BLOCK * SAMPLED or quality <= LEAST_QUALITY:
        return quality
    sample = []
    for plane, rows in zip(planes, (BLOCK, BLOCK // 2, BLOCK // 2), strict=True):
        starts = range(SAMPLED // 2 * rows, height // BLOCK * rows, SAMPLED * rows)
        sample.append(np.concatenate([plane[start : start + rows] for start in starts]))
    sampled = len(simplejpeg.encode_jpeg_yuv_planes(*sample, quality=quality)) - HEADER_BYTES
    size = HEADER_BYTES + sampled * height / sample[0].shape[0]
    excess = size / (MARGIN * BYTES * max(1.0, width * height / PIXELS))
    if excess <= 1:
        return quality
    factor = (50 / quality if quality < 50 else 2 - quality / 50) * excess**ROOT
    return max(LEAST_QUALITY, int(50 / factor if factor > 1 else 100 - 50 * factor))


def fitted(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Return the size at which ``width`` x ``height`` fits into a square of ``long_side`` pixels, not enlarged."""
    scale = min(1.0, long_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def full_range_planes(image: av.VideoFrame, width: int, height: int) -> Planes:
    """Scale to 8-bit 4:2:0 in full-range BT.601.

    Returns:
        Y of shape (height, width), then U and V of half of that, rounded up.
    """

    def scaled(reformatter: VideoReformatter, source: VideoFrame, matrix: Colorspace | None) -> VideoFrame:
        return reformatter.reformat(
            source,
            width,
            height,
            format="yuv420p",
            interpolation=Interpolation.AREA,
            dst_colorspace=matrix,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )

    # A reformatter keeps its tables for the next frame and works in one thread at a time.
    if not hasattr(_of_this_thread, "reformatter"):
        _of_this_thread.reformatter = VideoReformatter()
    # The matrix is converted after scaling, on a quarter of the pixels. RGB has none to keep.
    small = scaled(_of_this_thread.reformatter, image, Colorspace.ITU601 if image.format.is_rgb else None)
    if small.colorspace in _OTHER_MATRICES:
        small = scaled(VideoReformatter(), small, Colorspace.ITU601)
    return tuple(_array(plane) for plane in small.planes)


def upright(planes: Planes, rotation: int, *, mirror: bool = False) -> Planes:
    """Mirror planes if ``mirror``, then rotate them counter-clockwise to the nearest multiple of 90 degrees."""
    quarters = round(rotation / 90) % 4
    if mirror:
        planes = tuple(np.ascontiguousarray(plane[:, ::-1]) for plane in planes)
    return tuple(np.ascontiguousarray(np.rot90(plane, quarters)) for plane in planes) if quarters else planes


_of_this_thread = threading.local()
_OTHER_MATRICES = frozenset({1, 4, 7, 9, 10})
"""AVColorSpace: BT.709, FCC, SMPTE 240M, BT.2020. Unspecified counts as BT.601, which browsers send."""


def _array(plane: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
