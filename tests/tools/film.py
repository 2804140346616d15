"""A photograph as the film of Chromium's fake camera (`--use-file-for-fake-video-capture`). Needs scikit-image."""

from __future__ import annotations

import numpy as np
import simplejpeg
import skimage

WIDTH, HEIGHT = 1280, 720
FRAMES = 3


def of(name: str) -> bytes:
    """Return one of scikit-image's photographs, such as "coffee", as 1280x720 JPEGs one after another."""
    picture = getattr(skimage.data, name)()
    height, width = picture.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    shape = (round(height * scale), round(width * scale))
    large = skimage.transform.resize(picture, shape, anti_aliasing=True, preserve_range=True).astype(np.uint8)
    top, left = (shape[0] - HEIGHT) // 2, (shape[1] - WIDTH) // 2
    cut = np.ascontiguousarray(large[top : top + HEIGHT, left : left + WIDTH])
    return bytes(simplejpeg.encode_jpeg(cut, quality=90)) * FRAMES
