"""Text in the picture, read by rapidocr where the extra ``ocr`` is installed; its models come in its wheel."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from live_vlm_webui.describer.grammar import sentence

if TYPE_CHECKING:
    from rapidocr import RapidOCR

    from live_vlm_webui.describer.pixels import Image

HOW_TO_GET_IT = "pip install 'live-vlm-webui[ocr]'"
LEGIBLE = 0.9
"""Lines that were read with less are mostly patterns, or misread."""
SHORTEST = 2
MOST_LINES = 60
LONGEST_SIDE = 960
THREADS = 2


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
        lines: In reading order; None if nothing here can read.
    """

    lines: tuple[str, ...] | None

    def sentences(self) -> list[str]:
        """As it is said."""
        if self.lines is None:
            return [
                f"I cannot read text: that takes the optional text reader (`{HOW_TO_GET_IT}`, then start the server"
                " again), or a vision language model."
            ]
        if not self.lines:
            return ["I find no text that I can read in this picture."]
        return [sentence("text that I read, perhaps with wrong letters:") + "\n" + "\n".join(self.lines) + "\n"]


class Reader:
    """Reads text; loaded at the first question for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: RapidOCR | None = None

    @property
    def installed(self) -> bool:
        """Whether the extra is there."""
        return find_spec("rapidocr") is not None

    def read(self, image: Image) -> Reading:
        """Read all text. Takes some seconds; not for the event loop."""
        if not self.installed:
            return Reading(None)
        import numpy as np

        # What it returns depends on its arguments, which its types do not say.
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
