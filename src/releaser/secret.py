"""Secrets, and their removal from everything that is written or shown."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

HIDDEN = "[hidden]"

_CREDENTIALS_IN_URL = re.compile(r"""(?<=://)[^/\s"'<>]*@""")
_TOKEN_SHAPES = re.compile(r"\b(?:pypi-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})")


class Secret:
    """A value that shows itself to nobody who does not call `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value, for the header or environment variable that needs it and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__


@dataclass
class Redactor:
    """Replaces known secrets, credentials in URLs and well-known token shapes by a mark."""

    secrets: list[str] = field(default_factory=list, repr=False)

    def learn(self, secrets: Iterable[Secret | None]) -> None:
        """From now on these are hidden too. Values under 6 characters are left: they would hide ordinary words."""
        self.secrets += [value for s in secrets if s is not None and len(value := s.reveal()) >= 6]
        self.secrets.sort(key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """`text` with every secret replaced."""
        for value in self.secrets:
            text = text.replace(value, HIDDEN)
        return _TOKEN_SHAPES.sub(HIDDEN, _CREDENTIALS_IN_URL.sub("", text))


@dataclass(frozen=True)
class Credentials:
    """Tokens by the name of the environment variable that holds them."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def token(self, variable: str) -> Secret | None:
        """The token, or None if the variable is not set."""
        value = self.environment.get(variable, "").strip()
        return Secret(value) if value else None
