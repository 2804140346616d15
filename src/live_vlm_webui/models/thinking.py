"""Models that think aloud before they answer: what they thought is no part of the answer."""

from __future__ import annotations

OPENING = "<think>"
CLOSING = "</think>"


class ThoughtFilter:
    """Leaves out ``<think>...</think>`` at the start of an answer, however it was cut into pieces.

    Servers that know their model send its thoughts apart from the answer; this is for those that do not.
    """

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"
        self.has_thought = False
        """Whether there was a thought."""

    @property
    def is_thinking(self) -> bool:
        """Whether the answer has not begun because thoughts have not ended."""
        return self._state == "thinking"

    def feed(self, text: str) -> str:
        """Take the next piece, and return what of it belongs to the answer."""
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
                self._held = answer
                self._state = "gap"
            else:
                self._held = thoughts[-len(CLOSING) :]
        if self._state == "gap":
            self._held = self._held.lstrip()
            if self._held:
                return self._answer()
        return ""

    def close(self) -> str:
        """At the answer's end: what was held back because it looked like the start of a thought."""
        return self._answer() if self._state == "start" else ""

    def _answer(self) -> str:
        self._state = "answer"
        held, self._held = self._held, ""
        return held
