"""Assemble an answer of chat completions from the server's events."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.causes import bad_answer, cause_of_status
from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.models.model import Delta
from live_vlm_webui.models.thinking import ThoughtFilter

DONE = b"[DONE]"
APART = ("reasoning_content", "reasoning", "thinking")
"""Where servers send reasoning that is not in the answer."""
ERROR_STATUSES = range(400, 600)
LONGEST_NAME = 64
MOST_COUNTS = 24


class Answer:
    """Converts the events of an answer to its text.

    Reasoning, in separate fields or in ``<think>`` tags, is omitted. JSON of other shapes is ignored: servers send more
    than the API describes.

    Args:
        endpoint: The server, for errors.
        model: The model's name, for errors.
        pictures: The number of pictures in the question, for errors.
        longest: The longest answer, in characters.
    """

    def __init__(self, endpoint: Endpoint, model: str, pictures: int, longest: int) -> None:
        self._endpoint = endpoint
        self._model = model
        self._pictures = pictures
        self._longest = longest
        self._thoughts = ThoughtFilter()
        self._thought: list[str] = []
        self._length = 0
        self._heard = False
        self._reasoned = False
        self.has_words = False
        """Whether there is more than white space."""
        self.finish_reason = ""
        """Why the answer ended, in the server's words; empty if it did not say."""
        self.usage: dict[str, Any] = {}
        """The numbers of tokens that the server reported."""
        self.begun = False
        """Whether the model has sent anything, including reasoning."""
        self.done = False
        """Whether the server marked the end of the answer."""

    def take(self, events: Iterable[bytes]) -> Delta | None:
        """Process events; return their text and number of tokens, or None if there is neither.

        Raises:
            ModelError: An event is an error or invalid, or the answer is too long.
        """
        text: list[str] = []
        tokens: int | None = None
        for event in events:
            if self.done or not event.strip():
                continue
            if event.strip() == DONE:
                self.done = True
                continue
            chunk = self._read(event)
            text.append(self._text_of(chunk))
            self.usage = _usage_of(chunk) or self.usage
            tokens = _tokens_of(chunk, tokens)
        return self._delta("".join(text), tokens)

    @property
    def reasoned(self) -> bool:
        """Whether the model has sent reasoning."""
        return self._reasoned or self._thoughts.has_thought

    def end(self) -> Delta | None:
        """Finish the answer; return the text that was still held back.

        Raises:
            ModelError: There was no answer.
        """
        if not self._heard:
            raise bad_answer(self._endpoint, "sent no answer")
        delta = self._delta(self._thoughts.close(), None)
        if not self.has_words and (self._thoughts.is_thinking or (self.reasoned and self.finish_reason == "length")):
            raise ModelError(
                "bad-answer",
                f"{self._model} at {self._endpoint.api_base} reached the longest answer while still reasoning",
                "Allow longer answers, or choose a model that does not reason before it answers.",
            )
        if not self.has_words and self.finish_reason == "content_filter":
            raise ModelError(
                "refused",
                f"The content filter of {self._endpoint.api_base} blocked the answer",
                "Change the prompt, or choose another model.",
            )
        return delta

    def _read(self, event: bytes) -> dict[str, Any]:
        try:
            chunk = json.loads(event.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise bad_answer(self._endpoint, "sent a part of an answer that is not JSON") from None
        if not isinstance(chunk, dict):
            return {}
        if chunk.get("error") or chunk.get("object") == "error":
            inner = chunk.get("error")
            code = (inner if isinstance(inner, dict) else chunk).get("code")
            status = code if isinstance(code, int) and code in ERROR_STATUSES else 500
            raise cause_of_status(
                status, {}, event, endpoint=self._endpoint, model=self._model, pictures=self._pictures
            )
        return chunk

    def _text_of(self, chunk: dict[str, Any]) -> str:
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict):
            return ""
        self._heard = True
        finish = choice.get("finish_reason")
        if isinstance(finish, str):
            self.finish_reason = finish[:LONGEST_NAME]
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, dict):
            return ""
        text = _plain(delta.get("content"))
        apart = next((delta[name] for name in APART if delta.get(name)), None)
        self._reasoned |= apart is not None
        self.begun |= self._reasoned or bool(text)
        answer = self._thoughts.feed(text)
        self._thought += [_plain(apart), self._thoughts.take()]
        return answer

    def _delta(self, text: str, tokens: int | None) -> Delta | None:
        self._length += len(text)
        self.has_words |= bool(text.strip())
        if self._length > self._longest:
            raise ModelError(
                "bad-answer",
                f"The answer of {self._model} at {self._endpoint.api_base} was stopped at {self._longest} characters",
                "Ask for a shorter answer, or choose another model.",
            )
        thought, self._thought = "".join(self._thought), []
        return Delta(text, tokens, thought) if text or thought or tokens is not None else None


def _plain(content: Any) -> str:
    """Return the text of ``content``: a string, or a list of parts, some of them text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(text for text in texts if isinstance(text, str))
    return ""


def _tokens_of(chunk: dict[str, Any], otherwise: int | None) -> int | None:
    usage = chunk.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens >= 0 else otherwise


def _usage_of(chunk: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers of a chunk's ``usage``, also those one level deeper."""
    usage = chunk.get("usage")
    if not isinstance(usage, dict):
        return {}
    deeper = {name: _numbers_in(value) for name, value in usage.items() if isinstance(value, dict)}
    return _numbers_in(usage) | {name[:LONGEST_NAME]: value for name, value in list(deeper.items())[:4] if value}


def _numbers_in(found: dict[str, Any]) -> dict[str, Any]:
    numbers = {
        name[:LONGEST_NAME]: value
        for name, value in found.items()
        if type(value) in (int, float) and math.isfinite(value)
    }
    return dict(list(numbers.items())[:MOST_COUNTS])
