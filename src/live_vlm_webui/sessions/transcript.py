"""Record a session's questions and answers, and send them to its browsers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from live_vlm_webui.errors import CameraError, ModelError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import Exchange, ModelLabel, Question
from live_vlm_webui.sessions.events import Events
from live_vlm_webui.sessions.history import Answer, History
from live_vlm_webui.sessions.numbers import Numbers, Tally

LONGEST_THOUGHTS = 64 * 1024
SHOWN_ANSWERS = 20
"""The number of last answers in the first event of a browser."""
KEPT_UNANSWERED = 4
"""The number of last questions without an answer whose pictures are kept, because browsers may request them late."""


@dataclass
class OpenAnswer:
    """A question that was sent, and its answer so far."""

    id: int
    at: str
    model: ModelLabel
    question: Question
    announced: bool = False
    pieces: list[str] = field(default_factory=list)
    thoughts: str = ""
    error: dict[str, str] | None = None

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(self.pieces)


class Transcript:
    """Records answers in the history and sends events.

    While questions fail, a new try is announced only when it returns text, and its failure only if it differs from the
    last: a page that shows "unreachable" needs no event every ten seconds.

    Args:
        events: Sends events to the browsers.
        history: Keeps the answers.
        frame_path: Returns the path of an answer's picture.
    """

    def __init__(self, events: Events, history: History, frame_path: Callable[[int], str]) -> None:
        self._events = events
        self._frame_path = frame_path
        self._last_id = 0
        self._open: OpenAnswer | None = None
        self._failed: OpenAnswer | None = None
        self._unanswered: deque[OpenAnswer] = deque(maxlen=KEPT_UNANSWERED)
        self.history = history
        self.tally = Tally()
        self.error: dict[str, str] | None = None
        """The current failure; None after an answer."""
        self.model: ModelLabel | None = None

    def model_opened(self, model: ModelLabel) -> None:
        """Record that ``model`` is used from now on."""
        self.model = model
        self._events.tell_state("model", model=model.to_json(), error=None)

    def model_missing(self, error: ModelError) -> None:
        """Record that no model can be used."""
        self.model = None
        self.error = error.to_json()
        self._events.tell_state("model", model=None, error=self.error)

    def begin(self, model: ModelLabel, question: Question) -> None:
        """Record that a question is sent."""
        self._last_id += 1
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        self._open = OpenAnswer(self._last_id, at, model, question)
        if self.error is None:
            self._announce(self._open)

    def add(self, text: str) -> None:
        """Add a piece of the answer."""
        answer = self._open
        if answer is None or not text:
            return
        if not answer.announced:
            self._announce(answer)
        text = _sendable(text)
        answer.pieces.append(text)
        self._events.tell_text(answer.id, text)

    def think(self, text: str) -> None:
        """Add to what the model thinks, which is sent with the whole answer."""
        if self._open is not None and text and len(self._open.thoughts) < LONGEST_THOUGHTS:
            self._open.thoughts += _sendable(text)[:LONGEST_THOUGHTS]

    def finish(self, numbers: Numbers) -> None:
        """Record that the answer is complete."""
        answer = self._open
        if answer is None:
            return
        if not answer.announced:
            self._announce(answer)
        self._open = self._failed = None
        self.error = None
        question = answer.question
        self.history.add(
            Answer(
                answer.id,
                answer.at,
                answer.model,
                question.prompt,
                answer.text,
                question.pictures,
                numbers,
                answer.thoughts,
                question.system_prompt,
                question.exchange,
            )
        )
        self.tally.add(numbers, (answer.model, question.system_prompt, question.prompt))
        self._events.tell(
            "answer.finished",
            id=answer.id,
            text=answer.text,
            numbers=numbers.to_json(),
            percentiles=self.tally.to_json(),
            history=self.history.held(),
            thoughts=answer.thoughts,
            left_out=list(question.exchange.left_out),
        )

    def fail(self, error: ModelError | CameraError) -> None:
        """Record that the current or next question failed."""
        if self._open is None:
            self._last_id += 1
        answer, self._open = self._open, None
        told, self.error = self.error, error.to_json()
        if self.error != told or (answer and answer.announced):
            if answer is not None:
                answer.error = self.error
                self._unanswered.append(answer)
            self._failed = answer  # the one that browsers know of
            self._events.tell("answer.failed", id=self._last_id, error=self.error, frame=self._frame_of_failed())

    def give_up(self) -> None:
        """Drop the current question, if any."""
        if self._open is not None and self._open.announced:
            self._unanswered.append(self._open)
        self._open = None

    def forgive(self) -> None:
        """Forget the current failure after a change, so that the same one is sent again."""
        self.error = None

    def picture(self, answer_id: int) -> Picture:
        """Return the picture of an answer, complete or not.

        Raises:
            NotFoundError: The answer never existed, or was dropped from the history.
        """
        answer = self._unfinished(answer_id)
        return self.history.get(answer_id).picture if answer is None else answer.question.pictures[-1]

    def exchange(self, answer_id: int) -> dict[str, object]:
        """Return what was sent for an answer, complete, failed or not, and what came back, for JSON.

        Raises:
            NotFoundError: The answer never existed, or was dropped from the history.
        """
        open_answer = self._unfinished(answer_id)
        if open_answer is not None:
            question = open_answer.question
            asked = (question.exchange, question.pictures, question.prompt, question.system_prompt)
            return _exchange(open_answer, *asked) | {"numbers": None, "error": open_answer.error}
        answer = self.history.get(answer_id)
        asked = (answer.exchange, answer.pictures, answer.prompt, answer.system_prompt)
        return _exchange(answer, *asked) | {"numbers": answer.numbers.to_json(), "error": None}

    def state(self) -> dict[str, object]:
        """Return the state for the first event of a browser."""
        return {
            "model": self.model.to_json() if self.model else None,
            "error": self.error,
            "asking": self._started(self._open) | {"text": self._open.text} if self._open else None,
            "answers": [answer.to_json(self._frame_path(answer.id)) for answer in self.history.last(SHOWN_ANSWERS)],
            "percentiles": self.tally.to_json(),
            "history": self.history.held(),
            "failed_frame": self._frame_of_failed(),
        }

    def _frame_of_failed(self) -> str | None:
        """Return the path of the picture of the question that failed; None if none was sent."""
        return self._frame_path(self._failed.id) if self._failed else None

    def _unfinished(self, answer_id: int) -> OpenAnswer | None:
        """Return the current question or one of the last that failed or were dropped, if it has this id."""
        asked = (self._open, self._failed, *self._unanswered)
        return next((one for one in asked if one is not None and one.id == answer_id), None)

    def _announce(self, answer: OpenAnswer) -> None:
        answer.announced = True
        self._events.tell("answer.started", **self._started(answer))

    def _started(self, answer: OpenAnswer) -> dict[str, object]:
        return {
            "id": answer.id,
            "at": answer.at,
            "model": answer.model.to_json(),
            "prompt": answer.question.prompt,
            "system_prompt": answer.question.system_prompt,
            "frame": self._frame_path(answer.id),
            "frames": len(answer.question.pictures),
        }


def _exchange(
    answer: OpenAnswer | Answer, exchange: Exchange, pictures: tuple[Picture, ...], prompt: str, system_prompt: str
) -> dict[str, object]:
    request = {"method": "POST", "url": exchange.url, "with_key": exchange.with_key, "body": exchange.body}
    response = {name: getattr(exchange, name) for name in ("status", "message", "finish_reason", "usage")}
    return {
        "id": answer.id,
        "at": answer.at,
        "model": answer.model.to_json(),
        "prompt": prompt,
        "system_prompt": system_prompt,
        "pictures": [
            {"width": picture.width, "height": picture.height, "bytes": len(picture.jpeg)} for picture in pictures
        ],
        "left_out": list(exchange.left_out),
        "refused": list(exchange.refused),
        "request": request if exchange.url else None,
        "response": {**response, "text": answer.text, "thoughts": answer.thoughts},
    }


def _sendable(text: str) -> str:
    """Return ``text`` without lone surrogates, which WebSockets cannot send."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
