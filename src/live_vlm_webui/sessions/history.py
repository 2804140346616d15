"""The last answers of a session, each with the very pictures that the model saw."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from live_vlm_webui.errors import NotFoundError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import ModelLabel
from live_vlm_webui.sessions.numbers import Numbers

MOST_ANSWERS = 100
MOST_BYTES = 24 * 1024 * 1024
OVERHEAD_BYTES = 2048
"""About what an answer takes besides its pictures and words."""


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        id: Increases from question to question; questions without an answer leave gaps.
        at: When the question went out, RFC 3339 in UTC.
        model: Which one answered.
        prompt: What was asked.
        text: The whole answer.
        pictures: What it is about, oldest first.
        numbers: What it took.
    """

    id: int
    at: str
    model: ModelLabel
    prompt: str
    text: str
    pictures: tuple[Picture, ...]
    numbers: Numbers

    @property
    def picture(self) -> Picture:
        """The newest of its pictures."""
        return self.pictures[-1]

    @property
    def size(self) -> int:
        """About how many bytes of memory it takes."""
        pictures = sum(len(picture.jpeg) for picture in self.pictures)
        return OVERHEAD_BYTES + pictures + len(self.text) + len(self.prompt)

    def to_json(self, frame: str) -> dict[str, object]:
        """As browsers are told.

        Args:
            frame: The path or name of its newest picture.
        """
        return {
            "id": self.id,
            "at": self.at,
            "model": self.model.to_json(),
            "prompt": self.prompt,
            "text": self.text,
            "frame": frame,
            "frames": len(self.pictures),
            "numbers": self.numbers.to_json(),
        }


class History:
    """The newest answers, as many as both limits allow; the oldest leave first.

    Args:
        most_answers: How many at most.
        most_bytes: How much memory at most; the newest answer stays whatever it takes.
    """

    def __init__(self, most_answers: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        self._most_answers = most_answers
        self._most_bytes = most_bytes
        self._answers: OrderedDict[int, Answer] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[Answer]:
        """Oldest first; answers that come meanwhile are not seen."""
        return iter(tuple(self._answers.values()))

    @property
    def bytes(self) -> int:
        """About how much memory the answers take."""
        return self._bytes

    def add(self, answer: Answer) -> None:
        """Keep ``answer``, whose id is above all others'."""
        self._answers[answer.id] = answer
        self._bytes += answer.size
        while len(self._answers) > 1 and (len(self._answers) > self._most_answers or self._bytes > self._most_bytes):
            self._bytes -= self._answers.popitem(last=False)[1].size

    def get(self, answer_id: int) -> Answer:
        """The answer with that id.

        Raises:
            NotFoundError: It never was, or has left.
        """
        try:
            return self._answers[answer_id]
        except KeyError:
            raise NotFoundError(
                f"There is no answer {answer_id} in the history.",
                f"The last {self._most_answers} answers at most are kept: look at the newer ones.",
            ) from None

    def last(self, count: int) -> tuple[Answer, ...]:
        """The newest ``count`` answers, oldest first."""
        return tuple(self._answers.values())[-count:] if count > 0 else ()

    def clear(self) -> None:
        """Forget all."""
        self._answers.clear()
        self._bytes = 0
