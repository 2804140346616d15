"""From a decoded 1280x720 frame to the JPEG for the model, beside a full-size encode by Pillow in the same run.

The content is photographs that scikit-image brings. CPU time counts all threads of the process; the medians are of
interleaved runs, so that what else the machine does falls on both.
"""

from __future__ import annotations

import io
import statistics
import time

import av
import pytest
from figures import BRIEF
from PIL import Image
from skimage import data

from live_vlm_webui.media.jpeg import BYTES, compress

RUNS = 10 if BRIEF else 25
PHOTOGRAPHS = ("astronaut", "coffee", "chelsea", "rocket", "retina", "camera")
BUSY = ("hubble_deep_field", "immunohistochemistry", "gravel", "grass")
WIDTH, HEIGHT = 1280, 720


def frame(name: str) -> av.VideoFrame:
    """A photograph that fills a 720p frame, as a decoder leaves it."""
    photograph = Image.fromarray(getattr(data, name)()).convert("RGB")
    scale = max(WIDTH / photograph.width, HEIGHT / photograph.height)
    larger = photograph.resize((round(photograph.width * scale), round(photograph.height * scale)), Image.LANCZOS)
    return av.VideoFrame.from_image(larger.crop((0, 0, WIDTH, HEIGHT))).reformat(format="yuv420p")


def cpu_milliseconds(work) -> float:
    began = time.process_time()
    work()
    return (time.process_time() - began) * 1000


def encode_whole(image: av.VideoFrame) -> bytes:
    """What the widely used implementation does: to RGB, then Pillow at its own quality."""
    buffer = io.BytesIO()
    image.to_image().save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.parametrize(("kind", "names"), [("photographs", PHOTOGRAPHS), ("busy photographs", BUSY)])
def test_frame_to_jpeg(figure, kind, names):
    ours, whole, sizes, whole_sizes = [], [], [], []
    for name in names:
        image = frame(name)
        for _ in range(RUNS):
            ours.append(cpu_milliseconds(lambda image=image: compress(image)))
            whole.append(cpu_milliseconds(lambda image=image: encode_whole(image)))
        sizes.append(len(compress(image).jpeg))
        whole_sizes.append(len(encode_whole(image)))
    mine, theirs = statistics.median(ours), statistics.median(whole)
    reference = f"Pillow, full size: {theirs:.2f} ms, {statistics.mean(whole_sizes) / 1024:.0f} KiB"
    figure(f"720p frame to JPEG, {kind}", mine, budget=theirs / 10, unit="ms CPU", reference=reference)
    figure(f"720p frame to JPEG, {kind}, mean", statistics.mean(sizes) / 1024, budget=BYTES / 1024, unit="KiB")
    figure(f"720p frame to JPEG, {kind}, largest", max(sizes) / 1024, budget=BYTES / 1024, unit="KiB")
