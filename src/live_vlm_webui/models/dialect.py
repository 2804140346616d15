"""Differences between servers in request parameters, learned from rejected requests.

OpenAI's newer models require ``max_completion_tokens`` and reject ``max_tokens``; others know only the latter. Some
reject ``stream_options``, without which a stream does not report its number of tokens.

A model that reasons before it answers is too slow for a live picture. Once one is seen to, it is asked not to, by the
parameters of ``QUIET``, of which each server takes some, ignores some and may reject some.

Models that reason reject a ``temperature``, and the chat templates of some others know no system prompt.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, Literal

from live_vlm_webui.models.model import ModelLabel

MOST_DIALECTS = 256
REFUSED_STATUSES = frozenset({400, 422})
REFUSES_PARAMETER = re.compile(
    r"unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|extra_forbidden"
    r"|invalid (parameter|argument|field|value)|use 'max_completion_tokens'|input should be|does not support",
    re.IGNORECASE,
)

OUT_OF_RANGE = re.compile(r"less than|greater than|between|in the range|at (most|least)|maximum|minimum", re.IGNORECASE)
"""A refusal of a value, which its sender must correct, and not of the parameter."""
REFUSES_SYSTEM = re.compile(r"\bsystem\b.{0,20}\b(role|message|prompt|instruction)|\brole\b.*\bsystem\b", re.IGNORECASE)
"""Gemma's template: "System role not supported"; OpenAI: "'messages[0].role' does not support 'system'"."""

QUIET: tuple[tuple[str, Any], ...] = (
    ("reasoning_effort", "none"),
    ("reasoning_effort", "minimal"),
    ("reasoning_effort", "low"),
    ("chat_template_kwargs", {"enable_thinking": False}),
    ("think", False),
)
"""Parameters against reasoning: of OpenAI and Ollama; of vLLM, SGLang and llama.cpp; of Ollama alone."""
THINKING_TOKENS = 2048
"""What a model that reasons all the same may use for it, in addition to the longest answer."""


@dataclass(frozen=True)
class Dialect:
    """The parameters of a request.

    Attributes:
        limit: The name of the parameter for the longest answer; None omits it.
        usage: Whether to request the number of tokens.
        quiet: Those of ``QUIET`` that the server has not rejected; None before the model was seen to reason.
        stubborn: Whether it reasons although it was asked not to.
        temperature: Whether it accepts a temperature.
        system: Whether it accepts a system prompt; else that is sent as the start of the prompt.
    """

    limit: Literal["max_tokens", "max_completion_tokens"] | None = "max_tokens"
    usage: bool = True
    quiet: tuple[tuple[str, Any], ...] | None = None
    stubborn: bool = False
    temperature: bool = True
    system: bool = True

    def seen_to_reason(self) -> Dialect:
        """Return the dialect for the next question to a model that has reasoned."""
        return replace(self, quiet=QUIET) if self.quiet is None else replace(self, stubborn=True)

    def parameters(
        self, max_tokens: int, *, reasoning: bool = False, temperature: float | None = None
    ) -> dict[str, Any]:
        """Return the parameters for an answer of at most ``max_tokens`` tokens, and of ``reasoning`` before it."""
        quiet: tuple[tuple[str, Any], ...] = () if reasoning else self.quiet or ()
        found: dict[str, Any] = dict(reversed(quiet))  # of equal names the first counts
        if self.usage:
            found["stream_options"] = {"include_usage": True}
        if self.limit is not None:
            found[self.limit] = max_tokens + THINKING_TOKENS * (self.stubborn or reasoning)
        if self.temperature and temperature is not None:
            found["temperature"] = temperature
        return found

    def learn(self, status: int, refusal: str) -> Dialect | None:
        """Return the dialect to try after a request was rejected; None if the cause is something else.

        Args:
            status: The HTTP status.
            refusal: The server's message.
        """
        if status not in REFUSED_STATUSES or not REFUSES_PARAMETER.search(refusal):
            return None
        if self.usage and ("stream_options" in refusal or "include_usage" in refusal):
            return replace(self, usage=False)
        if self.limit == "max_tokens" and "max_tokens" in refusal:
            return replace(self, limit="max_completion_tokens")
        if self.limit == "max_completion_tokens" and "max_completion_tokens" in refusal:
            return replace(self, limit=None)
        rejected = refusal.partition("expected one of")[0]  # a list of what is accepted may follow
        if self.temperature and "temperature" in rejected and not OUT_OF_RANGE.search(rejected):
            return replace(self, temperature=False)
        if self.system and REFUSES_SYSTEM.search(rejected):
            return replace(self, system=False)
        for pair in self.quiet or ():
            if re.search(rf"\b({pair[0]}|{'|'.join(pair[1]) if isinstance(pair[1], dict) else pair[0]})\b", refusal):
                return replace(self, quiet=tuple(other for other in self.quiet or () if other is not pair))
        return None


class Dialects:
    """The learned dialects, by model; the least recently used beyond ``MOST_DIALECTS`` are dropped."""

    def __init__(self) -> None:
        self._learned: OrderedDict[tuple[str, str], Dialect] = OrderedDict()

    def of(self, label: ModelLabel) -> Dialect:
        """Return the dialect of a model."""
        key = (label.api_base, label.name)
        if key in self._learned:
            self._learned.move_to_end(key)
        return self._learned.get(key, Dialect())

    def keep(self, label: ModelLabel, dialect: Dialect) -> None:
        """Remember the dialect of a model."""
        self._learned[label.api_base, label.name] = dialect
        self._learned.move_to_end((label.api_base, label.name))
        if len(self._learned) > MOST_DIALECTS:
            self._learned.popitem(last=False)
