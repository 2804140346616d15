"""An answer of chat completions, put together from what its server sends."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from live_vlm_webui.errors import ModelError
from live_vlm_webui.models.causes import bad_answer, cause_of_status
from live_vlm_webui.models.endpoint import Endpoint
from live_vlm_webui.models.model import Delta
from live_vlm_webui.models.thinking import ThoughtFilter

DONE = b"[DONE]"
ERROR_STATUSES = range(400, 600)


class Answer:
    """Takes the events of one answer, and gives its text.

    What a model thinks, in fields of its own or in ``<think>`` tags, is left out. JSON of other shapes is passed over:
    servers put more into their streams than the API describes.

    Args:
        endpoint: Where it comes from, for errors.
        model: Likewise.
        pictures: How many were asked about, likewise.
        longest: In characters.
    """

    def __init__(self, endpoint: Endpoint, model: str, pictures: int, longest: int) -> None:
        self._endpoint = endpoint
        self._model = model
        self._pictures = pictures
        self._longest = longest
        self._thoughts = ThoughtFilter()
        self._length = 0
        self._heard = False
        self._reasoned = False
        self._finish: str | None = None
        self.begun = False
        """Whether the model has produced anything, be it a thought."""
        self.done = False
        """Whether the server said that nothing more will come."""

    def take(self, events: Iterable[bytes]) -> Delta | None:
        """Take events, and return the text and the number of tokens in them; None if there is neither.

        Raises:
            ModelError: One says that the model failed, or is none, or the answer is too long.
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
            tokens = _tokens_of(chunk, tokens)
        return self._delta("".join(text), tokens)

    def end(self) -> Delta | None:
        """At the end: the text that was still held back.

        Raises:
            ModelError: There was no answer.
        """
        if not self._heard:
            raise bad_answer(self._endpoint, "sent no answer")
        delta = self._delta(self._thoughts.close(), None)
        thought = self._reasoned or self._thoughts.has_thought
        if not self._length and (self._thoughts.is_thinking or (thought and self._finish == "length")):
            raise ModelError(
                "bad-answer",
                f"{self._model} was still thinking when the longest answer was reached, and said nothing.",
                "Allow longer answers, or choose a model that answers without thinking first.",
            )
        if not self._length and self._finish == "content_filter":
            raise ModelError(
                "refused",
                f"{self._endpoint.api_base} withheld the answer: its filter of contents stopped it.",
                "Ask in other words, or choose another model.",
            )
        return delta

    def _read(self, event: bytes) -> dict[str, Any]:
        try:
            chunk = json.loads(event.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            raise bad_answer(self._endpoint, "sent a piece of an answer that is no JSON") from None
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
            self._finish = finish
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, dict):
            return ""
        text = _plain(delta.get("content"))
        self._reasoned |= any(delta.get(name) for name in ("reasoning_content", "reasoning", "thinking"))
        self.begun |= self._reasoned or bool(text)
        return self._thoughts.feed(text)

    def _delta(self, text: str, tokens: int | None) -> Delta | None:
        self._length += len(text)
        if self._length > self._longest:
            raise ModelError(
                "bad-answer",
                f"{self._model} at {self._endpoint.api_base} went on for more than {self._longest} characters.",
                "It was stopped. Ask for a shorter answer, or choose a model that ends by itself.",
            )
        return Delta(text, tokens) if text or tokens is not None else None


def _plain(content: Any) -> str:
    """The text of ``content``: a string, or a list of parts of which some are text."""
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
