"""What is said about a session's questions and answers, each thing once, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from live_vlm_webui.errors import CameraError, ModelError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import ModelLabel, Question
from live_vlm_webui.sessions.events import Events
from live_vlm_webui.sessions.history import Answer, History
from live_vlm_webui.sessions.numbers import Numbers, Tally

SHOWN_ANSWERS = 20
"""How many of the last answers a browser is told at its start."""


@dataclass
class OpenAnswer:
    """A question that is out, and what came of its answer so far."""

    id: int
    at: str
    model: ModelLabel
    question: Question
    announced: bool = False
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What came so far."""
        return "".join(self.pieces)


class Transcript:
    """Writes down and tells.

    While questions fail, each new try is told only when it brings text, and its failure only if it is another than the
    last: a page that shows "unreachable" need not hear of it every ten seconds.

    Args:
        events: Tells the browsers.
        history: Keeps answers.
        frame_path: Where the picture of the answer with an id is found.
    """

    def __init__(self, events: Events, history: History, frame_path: Callable[[int], str]) -> None:
        self._events = events
        self._frame_path = frame_path
        self._last_id = 0
        self._open: OpenAnswer | None = None
        self.history = history
        self.tally = Tally()
        self.error: dict[str, str] | None = None
        """The failure that stands; None after an answer."""
        self.model: ModelLabel | None = None

    def model_opened(self, model: ModelLabel) -> None:
        """From now on ``model`` is asked."""
        self.model = model
        self._events.tell_state("model", model=model.to_json(), error=None)

    def model_missing(self, error: ModelError) -> None:
        """None can be asked."""
        self.model = None
        self.error = error.to_json()
        self._events.tell_state("model", model=None, error=self.error)

    def begin(self, model: ModelLabel, question: Question) -> None:
        """A question goes out."""
        self._last_id += 1
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        self._open = OpenAnswer(self._last_id, at, model, question)
        if self.error is None:
            self._announce(self._open)

    def add(self, text: str) -> None:
        """The next piece of its answer comes."""
        answer = self._open
        if answer is None or not text:
            return
        if not answer.announced:
            self._announce(answer)
        text = _sendable(text)
        answer.pieces.append(text)
        self._events.tell_text(answer.id, text)

    def finish(self, numbers: Numbers) -> None:
        """Its answer is complete."""
        answer = self._open
        if answer is None:
            return
        if not answer.announced:
            self._announce(answer)
        self._open = None
        self.error = None
        question = answer.question
        self.history.add(
            Answer(answer.id, answer.at, answer.model, question.prompt, answer.text, question.pictures, numbers)
        )
        self.tally.add(numbers)
        self._events.tell(
            "answer.finished",
            id=answer.id,
            text=answer.text,
            numbers=numbers.to_json(),
            percentiles=self.tally.to_json(),
        )

    def fail(self, error: ModelError | CameraError) -> None:
        """The question that is out, or the one that was about to go out, has no answer."""
        if self._open is None:
            self._last_id += 1
        answer, self._open = self._open, None
        told, self.error = self.error, error.to_json()
        if self.error != told or (answer and answer.announced):
            self._events.tell("answer.failed", id=self._last_id, error=self.error)

    def give_up(self) -> None:
        """The question that is out, if one is, is not waited for any more."""
        self._open = None

    def forgive(self) -> None:
        """Something was changed: the same failure would be news again."""
        self.error = None

    def picture(self, answer_id: int) -> Picture:
        """What the answer with that id is about, also while it still comes.

        Raises:
            NotFoundError: It never was, or has left the history.
        """
        if self._open is not None and self._open.id == answer_id:
            return self._open.question.pictures[-1]
        return self.history.get(answer_id).picture

    def state(self) -> dict[str, object]:
        """As browsers are told at their start."""
        return {
            "model": self.model.to_json() if self.model else None,
            "error": self.error,
            "asking": self._started(self._open) | {"text": self._open.text} if self._open else None,
            "answers": [answer.to_json(self._frame_path(answer.id)) for answer in self.history.last(SHOWN_ANSWERS)],
            "percentiles": self.tally.to_json(),
        }

    def _announce(self, answer: OpenAnswer) -> None:
        answer.announced = True
        self._events.tell("answer.started", **self._started(answer))

    def _started(self, answer: OpenAnswer) -> dict[str, object]:
        return {
            "id": answer.id,
            "at": answer.at,
            "model": answer.model.to_json(),
            "prompt": answer.question.prompt,
            "frame": self._frame_path(answer.id),
            "frames": len(answer.question.pictures),
        }


def _sendable(text: str) -> str:
    """``text`` without halves of characters, which no WebSocket takes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
