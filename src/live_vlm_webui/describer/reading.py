"""Read text in pictures with rapidocr, if the extra ``ocr`` is installed; its wheel contains its models."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from live_vlm_webui.describer.grammar import sentence

if TYPE_CHECKING:
    from rapidocr import RapidOCR

    from live_vlm_webui.describer.pixels import Image

HOW_TO_GET_IT = "pip install 'live-vlm-webui[ocr]'"
LEGIBLE = 0.9
"""Lines with a lower score are mostly patterns or misread."""
SHORTEST = 2
MOST_LINES = 60
LONGEST_SIDE = 960
THREADS = 2


@dataclass(frozen=True)
class Reading:
    """The text in a picture.

    Attributes:
        lines: The lines in reading order; None if no text reader is installed.
    """

    lines: tuple[str, ...] | None

    def sentences(self) -> list[str]:
        """Return the text as sentences of an answer."""
        if self.lines is None:
            return [
                f"I cannot read text. Install the optional text reader (`{HOW_TO_GET_IT}`, then restart the server), or"
                " use a vision language model."
            ]
        if not self.lines:
            return ["I see no readable text in this picture."]
        return [sentence("text in the picture, possibly with errors:") + "\n" + "\n".join(self.lines) + "\n"]


class Reader:
    """Reads text; its models are loaded when first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: RapidOCR | None = None

    @property
    def installed(self) -> bool:
        """Whether the extra is installed."""
        return find_spec("rapidocr") is not None

    def read(self, image: Image) -> Reading:
        """Return all text in ``image``. Takes some seconds; call it in a worker thread."""
        if not self.installed:
            return Reading(None)
        # The result depends on the arguments, which its types do not express.
        result: Any = self._load()(np.ascontiguousarray(image[:, :, ::-1]), use_cls=False)
        lines = zip(result.txts or (), result.scores or (), strict=True)
        legible = [
            " ".join(text.split())
            for text, score in lines
            if score >= LEGIBLE and sum(letter.isalnum() for letter in text) >= SHORTEST
        ]
        return Reading(tuple(legible[:MOST_LINES]))

    def _load(self) -> RapidOCR:
        with self._lock:
            if self._engine is None:
                from rapidocr import RapidOCR

                self._engine = RapidOCR(
                    params={
                        "Global.log_level": "error",
                        "Det.limit_type": "max",
                        "Det.limit_side_len": LONGEST_SIDE,
                        "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
                        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                    }
                )
            return self._engine
