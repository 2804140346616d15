"""The picture sent to a model: a frame, scaled and compressed."""

from __future__ import annotations

from dataclasses import dataclass

LONG_SIDE = 640
"""The default of the longer side, in pixels."""
QUALITY = 70
"""The default JPEG quality; detailed pictures get less."""


@dataclass(frozen=True)
class Picture:
    """A JPEG and its size.

    Attributes:
        jpeg: The bytes sent to the model, kept in the history and shown with the answer.
        width: Its width, in pixels.
        height: Its height, in pixels.
    """

    jpeg: bytes
    width: int
    height: int
