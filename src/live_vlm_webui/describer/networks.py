"""The two networks: a detector (NanoDet) and a tagger (EfficientNet-Lite0), in onnxruntime on the CPU.

``data/NOTICE.txt`` states their origin. Both are run on a picture and its mirror image, and the mean of both results is
used: a mirrored picture then gets the mirrored answer, and detections in only one of the two are mostly wrong.

The detector knows people as a whole: one who fills the picture or is cut off by its edge gets a low score. So it also
looks from farther away, at the picture within borders, and what several looks agree on counts as people.
"""

from __future__ import annotations

import threading
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import numpy as np

from live_vlm_webui.describer.boxes import Box, Detection, agreed, confirmed, suppress
from live_vlm_webui.describer.pixels import scaled
from live_vlm_webui.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnxruntime

    from live_vlm_webui.describer.pixels import Floats, Image

DETECTOR = "nanodet.onnx"
DETECTOR_SIDE = 416
DETECTOR_CLASSES = 80
STRIDES = (8, 16, 32)
BINS = 11
BGR_MEAN = (103.53, 116.28, 123.675)
BGR_DEVIATION = (57.375, 57.12, 58.395)
PADDING = (114, 114, 114)
WORTH_CONFIRMING = 0.4
"""If no box has this score, none is accepted, and the mirror image is not analysed."""
PERSON = 0
"""The detector's class of people."""
BORDERS = (1 / 6, 1 / 3)
"""The borders of the looks from farther away, in sides of the picture."""
FAINTEST = 0.3
"""Boxes with a lower score are dropped."""
TAGGER = "efficientnet-lite0.onnx"
TAGGER_SIDE = 224
TAGGER_MEAN = 127.0
TAGGER_SCALE = 128.0
CLOSER = 0.1
"""The share of the picture cut off at each side for a closer look."""
THREADS = 2


class Networks:
    """Both networks, loaded when first needed. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: tuple[onnxruntime.InferenceSession, onnxruntime.InferenceSession] | None = None

    @property
    def loaded(self) -> bool:
        """Whether they are in memory."""
        return self._loaded is not None

    def load(self) -> tuple[onnxruntime.InferenceSession, onnxruntime.InferenceSession]:
        """Load both if necessary, which takes about 0.2 s.

        Raises:
            ModelError: A file is missing or damaged, or onnxruntime cannot be loaded.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = (_session(DETECTOR), _session(TAGGER))
            return self._loaded

    def detect(self, image: Image) -> list[Detection]:
        """Return the detections in ``image`` with a score of at least ``FAINTEST``, highest first."""
        detector, _ = self.load()
        near = _look(detector, image)
        looks = [near, *(_look(detector, image, border) for border in BORDERS)]
        people = agreed([[one for one in look if one.number == PERSON] for look in looks])
        others = [one for one in near if one.number != PERSON]
        return sorted([*people, *others], key=lambda one: -one.score)

    def tag(self, image: Image) -> Floats:
        """Return the likelihoods of the tagger's 1000 classes, [1000], from one look."""
        _, tagger = self.load()
        likelihoods: Floats = (_tag(tagger, image) + _tag(tagger, image[:, ::-1])) / np.float32(2)
        return likelihoods

    def tag_carefully(self, image: Image, glance: Floats | None = None) -> Floats:
        """Return the mean likelihoods of three looks: as is, closer, and from farther away.

        For patterns and unknown objects, the tagger's results differ between the three.

        Args:
            image: RGB, [height, width, 3].
            glance: The result of ``tag`` for it, if known.
        """
        height, width = image.shape[:2]
        closer = image[
            int(height * CLOSER) : height - int(height * CLOSER), int(width * CLOSER) : width - int(width * CLOSER)
        ]
        farther = np.pad(image, ((height // 8,) * 2, (width // 8,) * 2, (0, 0)), mode="edge")
        looks = [self.tag(image) if glance is None else glance, self.tag(closer), self.tag(farther)]
        likelihoods: Floats = np.mean(looks, axis=0, dtype=np.float32)
        return likelihoods


def _session(name: str) -> onnxruntime.InferenceSession:
    # The 16-bit weights are cast by the graph's own Cast nodes, which onnxruntime folds into 32-bit ones when it loads.
    try:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.inter_op_num_threads = 1
        # Threads that spin while they wait for work cost more CPU than the work.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena keeps the memory of its largest step.
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        with as_file(files("live_vlm_webui.describer").joinpath("data").joinpath(name)) as path:
            return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            "model-missing",
            f"The built-in describer's network {name} cannot be loaded: {error}",
            "Reinstall the package (`pip install --force-reinstall live-vlm-webui`), or choose a model server.",
        ) from error


def _look(detector: onnxruntime.InferenceSession, image: Image, border: float = 0.0) -> list[Detection]:
    """Detect in the picture and in its mirror image, unless nothing there is worth it."""
    seen = _detect(detector, image, border)
    if all(one.score < WORTH_CONFIRMING for one in seen):
        return seen
    return confirmed(seen, _detect(detector, image[:, ::-1], border))


def _detect(detector: onnxruntime.InferenceSession, image: Image, border: float) -> list[Detection]:
    height, width = image.shape[:2]
    scale = DETECTOR_SIDE / (max(height, width) * (1 + 2 * border))
    inner_width, inner_height = max(2, round(width * scale)), max(2, round(height * scale))
    left, top = (DETECTOR_SIDE - inner_width) // 2, (DETECTOR_SIDE - inner_height) // 2
    square = np.empty((DETECTOR_SIDE, DETECTOR_SIDE, 3), np.uint8)
    square[:] = PADDING
    square[top : top + inner_height, left : left + inner_width] = scaled(image, inner_width, inner_height)
    pixels = (square[:, :, ::-1] - np.array(BGR_MEAN, np.float32)) / np.array(BGR_DEVIATION, np.float32)
    outputs = detector.run(None, {detector.get_inputs()[0].name: np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]})

    def fraction(x: float, y: float) -> tuple[float, float]:
        return min(1.0, max(0.0, (x - left) / inner_width)), min(1.0, max(0.0, (y - top) / inner_height))

    detections = []
    for number, score, (x0, y0, x1, y1) in decode_boxes(outputs):
        box = Box(*fraction(x0, y0), *fraction(x1, y1))
        detections.append(Detection(number, score, box))
    return suppress(detections)


def decode_boxes(outputs: Sequence[Floats]) -> list[tuple[int, float, tuple[float, float, float, float]]]:
    """Decode NanoDet's outputs (GFL: each side is a distribution over distances from the cell's centre).

    Args:
        outputs: For each stride, scores [1, n, 80] and sides [1, n, 44], in any order.

    Returns:
        Class, score, and left, top, right, bottom in pixels of the network's input, for scores of at least
        ``FAINTEST``.
    """
    by_shape = {output.shape[1:]: output[0] for output in outputs}
    found = []
    for stride in STRIDES:
        grid = DETECTOR_SIDE // stride
        scores = by_shape[grid * grid, DETECTOR_CLASSES]
        cells, numbers = np.nonzero(scores >= FAINTEST)
        sides = by_shape[grid * grid, 4 * BINS][cells].reshape(-1, 4, BINS)
        weights = np.exp(sides - sides.max(axis=2, keepdims=True))
        distances = (weights / weights.sum(axis=2, keepdims=True)) @ np.arange(BINS, dtype=np.float32) * stride
        for cell, number, (left, top, right, bottom) in zip(
            cells.tolist(), numbers.tolist(), distances.tolist(), strict=True
        ):
            x, y = (cell % grid + 0.5) * stride, (cell // grid + 0.5) * stride
            found.append((number, float(scores[cell, number]), (x - left, y - top, x + right, y + bottom)))
    return found


def _tag(tagger: onnxruntime.InferenceSession, crop: Image) -> Floats:
    pixels = (scaled(crop, TAGGER_SIDE, TAGGER_SIDE) - np.float32(TAGGER_MEAN)) / np.float32(TAGGER_SCALE)
    logits = tagger.run(None, {"x": np.ascontiguousarray(pixels.transpose(2, 0, 1))[None]})[0][0]
    weights = np.exp(logits - logits.max())
    likelihoods: Floats = weights / weights.sum()
    return likelihoods
