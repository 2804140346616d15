"""Convert frames to pictures, in the encoder threads, which import what that needs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from live_vlm_webui.media.picture import Picture

if TYPE_CHECKING:
    import av

    from live_vlm_webui.sessions.scene_change import Thumbnail


@dataclass(frozen=True)
class Prepared:
    """The pictures of a question.

    Attributes:
        pictures: The pictures, in the order of the frames.
        thumbnail: The thumbnail of the last frame, if requested.
        began: When it started; ``time.monotonic()`` in seconds.
        ended: When it ended; ``time.monotonic()`` in seconds.
    """

    pictures: tuple[Picture, ...]
    thumbnail: Thumbnail | None
    began: float
    ended: float


def prepare(images: Sequence[av.VideoFrame], long_side: int, with_thumbnail: bool) -> Prepared:
    """Scale and compress the frames of a question."""
    from live_vlm_webui.media.jpeg import compress
    from live_vlm_webui.sessions.scene_change import thumbnail

    began = time.monotonic()
    pictures = tuple(compress(image, long_side) for image in images)
    small = thumbnail(images[-1]) if with_thumbnail else None
    return Prepared(pictures, small, began, time.monotonic())


def compare(reference: Thumbnail, image: av.VideoFrame) -> float:
    """Return the difference between a frame and a thumbnail, 0 to 1."""
    from live_vlm_webui.sessions.scene_change import difference, thumbnail

    return difference(reference, thumbnail(image))


def warm_up() -> None:
    """Import the modules that the first question needs."""
    from live_vlm_webui.media import jpeg  # noqa: F401
    from live_vlm_webui.sessions import scene_change  # noqa: F401
