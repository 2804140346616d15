"""How a model's server wants to be asked, where servers differ: learned from what they refuse.

OpenAI's newer models take ``max_completion_tokens`` and refuse ``max_tokens``; others know only that. Some refuse
``stream_options``, without which a stream does not say how many tokens it had.
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
    """What a request holds.

    Attributes:
        limit: The name under which the longest answer is given; None leaves it out.
        usage: Whether to ask for the number of tokens.
    """

    limit: Literal["max_tokens", "max_completion_tokens"] | None = "max_tokens"
    usage: bool = True

    def learn(self, status: int, refusal: str) -> Dialect | None:
        """What to try instead after a request was refused; None if the refusal is about something else.

        Args:
            status: Of HTTP.
            refusal: What the server said.
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
    """What was learned, by model; of more than ``MOST_DIALECTS`` those used longest ago are forgotten."""

    def __init__(self) -> None:
        self._learned: OrderedDict[tuple[str, str], Dialect] = OrderedDict()

    def of(self, label: ModelLabel) -> Dialect:
        """How to ask this model."""
        key = (label.api_base, label.name)
        if key in self._learned:
            self._learned.move_to_end(key)
        return self._learned.get(key, Dialect())

    def keep(self, label: ModelLabel, dialect: Dialect) -> None:
        """Remember how to ask this model."""
        self._learned[label.api_base, label.name] = dialect
        self._learned.move_to_end((label.api_base, label.name))
        if len(self._learned) > MOST_DIALECTS:
            self._learned.popitem(last=False)
