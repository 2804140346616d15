"""GitHub's patterns of branches and tags: `*` stops at a slash, `**` does not; `!` excludes what came before."""

from __future__ import annotations

import re
from collections.abc import Sequence


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether the patterns, in their order, include a name."""
    included = False
    for pattern in patterns:
        if re.fullmatch(_expression(pattern.removeprefix("!")), name):
            included = not pattern.startswith("!")
    return included


def _expression(pattern: str) -> str:
    parts = re.split(r"(\*\*|\*|\?)", pattern)
    signs = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(signs.get(part, re.escape(part)) for part in parts)
