"""How much two pictures differ, for next to nothing: tiny thumbnails of their luma are compared.

What changes all of a picture alike is taken out first: lamps flicker, and cameras adjust their exposure all the time.
So each thumbnail loses its mean, and is compared at the contrast at which it fits the other best. Only a jump of
brightness that no flicker makes counts as a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av
    import numpy as np

    Thumbnail = np.ndarray[Any, np.dtype[Any]]

WIDTH = 32
HEIGHT = 18
FULL_DIFFERENCE = 48.0
"""Mean difference, of 255 levels, that counts as 1: about that of two photographs of different things."""
GAINS = (0.7, 1.4)
"""How much contrast may change and still be the exposure's doing."""
FLICKER = 0.25
"""What part of the range the mean may jump by and still be flicker."""


def thumbnail(image: av.VideoFrame) -> Thumbnail:
    """The luma of a frame, averaged down; for a worker thread, 0.2 ms from 1280x720.

    Returns:
        Shape (``HEIGHT``, ``WIDTH``), 0 to 255.
    """
    import numpy as np
    from av.video.reformatter import Interpolation, VideoReformatter

    # A reformatter of our own: the one that a frame carries is shared by all threads that look at the frame.
    options = {} if _threads_unknown() else {"threads": 1}  # several take ten times as long for so few pixels
    small = VideoReformatter().reformat(image, WIDTH, HEIGHT, "gray", interpolation=Interpolation.AREA, **options)
    plane = small.planes[0]
    rows = np.frombuffer(bytes(plane), np.uint8).reshape(HEIGHT, plane.line_size)
    return rows[:, :WIDTH].astype(np.float32)


def difference(before: Thumbnail, after: Thumbnail) -> float:
    """How much changed: 0 nothing, 1 about everything.

    On photographs: heavy noise 0.01, a fifth more or less of exposure 0.03, a thing on 3 % of the picture 0.05 to 0.11,
    a pan by 1 % of the width 0.07 to 0.23, another photograph 0.5 and more.

    Args:
        before: From ``thumbnail``.
        after: Likewise.
    """
    import numpy as np

    mean_before, mean_after = float(before.mean()), float(after.mean())
    flat_before, flat_after = before - mean_before, after - mean_after
    energy = float(np.vdot(flat_before, flat_before))
    gain = float(np.vdot(flat_before, flat_after)) / energy if energy else 1.0
    gain = min(max(gain, GAINS[0]), GAINS[1])
    local = float(np.abs(flat_after - gain * flat_before).mean()) / FULL_DIFFERENCE
    jump = max(0.0, abs(mean_after - mean_before) / 255 - FLICKER)
    return min(1.0, local + jump)


def _threads_unknown() -> bool:
    """Whether PyAV is older than 17: it scales in one thread, and cannot be told so."""
    import av

    return int(av.__version__.partition(".")[0]) < 17
