"""The picture that a model sees: a frame, scaled and compressed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A JPEG and its size.

    Attributes:
        jpeg: The bytes that are sent to the model, kept in the history and shown beside the answer.
        width: In pixels.
        height: In pixels.
    """

    jpeg: bytes
    width: int
    height: int
