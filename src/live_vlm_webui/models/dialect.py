"""Differences between servers in request parameters, learned from rejected requests.

OpenAI's newer models require ``max_completion_tokens`` and reject ``max_tokens``; others know only the latter. Some
reject ``stream_options``, without which a stream does not report its number of tokens.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal

from live_vlm_webui.models.model import ModelLabel

MOST_DIALECTS = 256
REFUSED_STATUSES = frozenset({400, 422})
REFUSES_PARAMETER = re.compile(
    r"unsupported|not supported|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed|extra_forbidden"
    r"|invalid (parameter|argument|field)|use 'max_completion_tokens'",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Dialect:
    """The parameters of a request.

    Attributes:
        limit: The name of the parameter for the longest answer; None omits it.
        usage: Whether to request the number of tokens.
    """

    limit: Literal["max_tokens", "max_completion_tokens"] | None = "max_tokens"
    usage: bool = True

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
