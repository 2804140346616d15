"""Separate a model's reasoning from its answer."""

from __future__ import annotations

OPENING = "<think>"
CLOSING = "</think>"


class ThoughtFilter:
    """Separates ``<think>...</think>`` at the start of an answer, however it is split into pieces.

    Many servers send reasoning separately from the answer; this is for those that do not.
    """

    def __init__(self) -> None:
        self._held = ""
        self._taken = ""
        self._state = "start"
        self.has_thought = False
        """Whether there was any reasoning."""

    @property
    def is_thinking(self) -> bool:
        """Whether the reasoning has not ended yet."""
        return self._state == "thinking"

    def take(self) -> str:
        """Return the reasoning since the last call."""
        taken, self._taken = self._taken, ""
        return taken

    def feed(self, text: str) -> str:
        """Process a piece, and return its part of the answer."""
        if self._state == "answer":
            return text
        self._held += text
        if self._state == "start":
            begun = self._held.lstrip()
            if begun.startswith(OPENING):
                self._state = "thinking"
                self.has_thought = True
                self._held = begun[len(OPENING) :]
            elif not OPENING.startswith(begun):
                return self._answer()
        if self._state == "thinking":
            thoughts, closing, answer = self._held.partition(CLOSING)
            if closing:
                self._taken += thoughts
                self._held = answer
                self._state = "gap"
            else:
                self._taken += thoughts[: -len(CLOSING)]
                self._held = thoughts[-len(CLOSING) :]
        if self._state == "gap":
            self._held = self._held.lstrip()
            if self._held:
                return self._answer()
        return ""

    def close(self) -> str:
        """Finish the answer; return what was held back as a possible ``<think>``."""
        return self._answer() if self._state == "start" else ""

    def _answer(self) -> str:
        self._state = "answer"
        held, self._held = self._held, ""
        return held
