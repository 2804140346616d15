"""Pictures as arrays of pixels: decode, scale, crop."""

from __future__ import annotations

import av
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from live_vlm_webui.describer.boxes import Box

Image = NDArray[np.uint8]
"""Pixels, [height, width, 3], RGB."""
Floats = NDArray[np.float32]

WIDE = 1.15
"""Frames with a larger aspect ratio are analysed in three crops."""
MARGIN = 1.1
"""The size of a crop relative to its box."""


def square_crops(image: Image) -> list[Image]:
    """Return square crops of the shorter side: the middle, and both ends of an oblong picture."""
    height, width = image.shape[:2]
    side = min(height, width)
    if max(height, width) <= WIDE * side:
        starts = {(max(height, width) - side) // 2}
    else:
        starts = {0, (max(height, width) - side) // 2, max(height, width) - side}
    if width >= height:
        return [image[:, start : start + side] for start in sorted(starts)]
    return [image[start : start + side] for start in sorted(starts)]


def scaled(image: Image, width: int, height: int) -> Image:
    """Return ``image`` scaled; when reducing, each pixel is the mean of the area that it covers."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    smaller = frame.reformat(width=width, height=height, format="rgb24", interpolation="AREA")
    return smaller.to_ndarray().astype(np.uint8, copy=False)


def decoded(jpeg: bytes) -> Image:
    """Return the pixels of a JPEG.

    Raises:
        ValueError: It is not a JPEG.
    """
    pixels: Image = simplejpeg.decode_jpeg(jpeg, "RGB")
    return pixels


def window(image: Image, box: Box) -> Image:
    """Return the square crop around ``box``, with a margin; at most the picture's shorter side."""
    height, width = image.shape[:2]
    side = max((box.right - box.left) * width, (box.bottom - box.top) * height) * MARGIN
    pixels = max(8, min(height, width, round(side)))
    x, y = box.centre
    left = min(max(0, round(x * width - pixels / 2)), width - pixels)
    top = min(max(0, round(y * height - pixels / 2)), height - pixels)
    return image[max(0, top) : top + pixels, max(0, left) : left + pixels]
