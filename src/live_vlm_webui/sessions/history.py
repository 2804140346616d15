"""The last answers of a session, with the pictures sent to the model."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

from live_vlm_webui.errors import NotFoundError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import Exchange, ModelLabel
from live_vlm_webui.sessions.numbers import Numbers

MOST_ANSWERS = 100
MOST_BYTES = 24 * 1024 * 1024
OVERHEAD_BYTES = 4096
"""The approximate size of an answer without pictures and text: its numbers and its exchange."""


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        id: Increases with each question; questions without an answer leave gaps.
        at: When the question was sent, RFC 3339 in UTC.
        model: The model that answered.
        prompt: The prompt.
        text: The whole answer.
        pictures: The pictures of the question, oldest first.
        numbers: Its timings.
        thoughts: What the model thought before it answered, shortened; empty if it did not reason.
        system_prompt: What the model was told before the prompt.
        exchange: What was sent, and what came back apart from the text.
    """

    id: int
    at: str
    model: ModelLabel
    prompt: str
    text: str
    pictures: tuple[Picture, ...]
    numbers: Numbers
    thoughts: str = ""
    system_prompt: str = ""
    exchange: Exchange = field(default_factory=Exchange)

    @property
    def picture(self) -> Picture:
        """The newest of its pictures."""
        return self.pictures[-1]

    @property
    def size(self) -> int:
        """Its approximate size in memory, in bytes."""
        pictures = sum(len(picture.jpeg) for picture in self.pictures)
        texts = (self.text, self.prompt, self.thoughts, self.system_prompt)
        return OVERHEAD_BYTES + pictures + sum(map(len, texts))

    def to_json(self, frame: str) -> dict[str, object]:
        """Return the answer as sent to browsers.

        Args:
            frame: The path or name of its newest picture.
        """
        return {
            "id": self.id,
            "at": self.at,
            "model": self.model.to_json(),
            "prompt": self.prompt,
            "system_prompt": self.system_prompt,
            "text": self.text,
            "frame": frame,
            "frames": len(self.pictures),
            "numbers": self.numbers.to_json(),
            "thoughts": self.thoughts,
            "left_out": list(self.exchange.left_out),
        }


class History:
    """The newest answers within both limits; the oldest are dropped first.

    Args:
        most_answers: The most answers.
        most_bytes: The most memory; the newest answer is kept even if larger.
    """

    def __init__(self, most_answers: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        self._most_answers = most_answers
        self._most_bytes = most_bytes
        self._answers: OrderedDict[int, Answer] = OrderedDict()
        self._bytes = 0
        self._all = 0

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[Answer]:
        """Iterate over the answers, oldest first; later additions are not included."""
        return iter(tuple(self._answers.values()))

    @property
    def bytes(self) -> int:
        """The approximate size of all answers in memory, in bytes."""
        return self._bytes

    def add(self, answer: Answer) -> None:
        """Add ``answer``, whose id is the highest."""
        self._answers[answer.id] = answer
        self._bytes += answer.size
        self._all += 1
        while len(self._answers) > 1 and (len(self._answers) > self._most_answers or self._bytes > self._most_bytes):
            self._bytes -= self._answers.popitem(last=False)[1].size

    def held(self) -> dict[str, object]:
        """Return how many answers there are, of how many there were, and id and time of the oldest, as for browsers."""
        oldest = next(iter(self._answers.values()), None)
        return {
            "answers": len(self._answers),
            "of": self._all,
            "oldest": oldest.id if oldest else None,
            "since": oldest.at if oldest else None,
        }

    def get(self, answer_id: int) -> Answer:
        """Return the answer with ``answer_id``.

        Raises:
            NotFoundError: It never existed, or was dropped.
        """
        try:
            return self._answers[answer_id]
        except KeyError:
            raise NotFoundError(
                f"The history has no answer {answer_id}",
                f"Request a newer one; at most the last {self._most_answers} answers are kept.",
            ) from None

    def last(self, count: int) -> tuple[Answer, ...]:
        """Return the newest ``count`` answers, oldest first."""
        return tuple(self._answers.values())[-count:] if count > 0 else ()

    def clear(self) -> None:
        """Drop all answers."""
        self._answers.clear()
        self._bytes = 0
