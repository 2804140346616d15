"""Answer a question about pictures, in a worker thread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from live_vlm_webui.describer.change import compare
from live_vlm_webui.describer.networks import Networks
from live_vlm_webui.describer.pixels import decoded
from live_vlm_webui.describer.questions import Kind, understood
from live_vlm_webui.describer.reading import Reader
from live_vlm_webui.describer.scene import look
from live_vlm_webui.describer.structured import structured, wants_text
from live_vlm_webui.describer.vocabulary import load_vocabulary
from live_vlm_webui.describer.words import answer
from live_vlm_webui.errors import ModelError
from live_vlm_webui.memory import give_back_memory

if TYPE_CHECKING:
    from live_vlm_webui.describer.pixels import Image
    from live_vlm_webui.describer.scene import Scene
    from live_vlm_webui.models.model import Question

WORD = re.compile(r"\S+\s*")
CUT = "…"


class Answering:
    """The networks, the vocabulary and the text reader, loaded when needed. Thread-safe."""

    def __init__(self) -> None:
        self._networks = Networks()
        self._vocabulary = load_vocabulary()
        self._reader = Reader()

    @property
    def loaded(self) -> bool:
        """Whether the networks are in memory."""
        return self._networks.loaded

    def load(self) -> None:
        """Load the networks, which the first answer does otherwise.

        Raises:
            ModelError: They cannot be loaded.
        """
        self._networks.load()

    def answer(self, question: Question, before: Scene | None) -> tuple[str, Scene]:
        """Return the answer and the scene in the newest picture. Takes 0.2 to 0.4 s, or some seconds to read text.

        Args:
            question: The question; of several pictures the first and the last are compared.
            before: The scene of the last answer; None at the first.

        Raises:
            ModelError: A picture cannot be decoded, or the networks cannot be loaded.
        """
        ends = question.pictures[:1] + question.pictures[1:][-1:]
        pictures = [_pixels(picture.jpeg) for picture in ends]
        scenes = [look(self._networks, self._vocabulary, image) for image in pictures]
        now = scenes[-1]
        if len(scenes) > 1:
            before = scenes[0]
        change = compare(before, now) if before else None
        frames = len(question.pictures)
        request = understood(question.prompt, self._vocabulary)
        as_json = request.kind is Kind.STRUCTURED
        reading = None
        if request.kind is Kind.TEXT or (as_json and wants_text(question.prompt)):
            reading = self._reader.read(pictures[-1])
        if as_json:
            text = structured(
                question.prompt,
                now,
                change,
                reading,
                self._vocabulary,
                frames=frames,
                max_tokens=question.max_tokens,
            )
        else:
            text = shortened(answer(request, now, change, reading, frames=frames), question.max_tokens)
        give_back_memory()
        return text, now


def shortened(sentences: list[str], max_tokens: int) -> str:
    """Return as many whole sentences as fit, counted in words; the beginning of the first one if it is too long."""
    said: list[str] = []
    left = max_tokens
    for one in sentences:
        left -= len(WORD.findall(one))
        if left < 0:
            break
        said.append(one)
    if said:
        return " ".join(said).replace("\n ", "\n").strip()
    words = WORD.findall(sentences[0])[:max_tokens]
    return "".join(words).strip() + CUT


def _pixels(jpeg: bytes) -> Image:
    try:
        return decoded(jpeg)
    except ValueError as error:
        raise ModelError(
            "bad-answer",
            f"The built-in describer received an invalid JPEG: {error}",
            "Report this; it is a bug.",
        ) from error
