"""Secrets, and their removal from everything that is written or shown."""

from __future__ import annotations

import base64
import functools
import html
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

HIDDEN = "[hidden]"

_SHORTEST = 6
"""Characters. Hiding every occurrence of a shorter value would hide ordinary words."""
_SHORTEST_LINE = 16
"""Characters. The lines of a key that are worth hiding; output is redacted line by line."""
_CREDENTIALS_IN_URL = re.compile(r"""(?<=://)[^/\s"'<>]*@""")
_AUTHORIZATION = re.compile(r"""(?i)(\bauthorization["']?\s*[:=]\s*["']?(?:basic|bearer|token)\s+)[^\s"',;]+""")
_TOKEN_SHAPES = re.compile(r"\b(?:pypi-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})")


_RUN = re.compile(r"[A-Za-z0-9]+")


class Secret:
    """A value that shows itself only to callers of `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the header or environment variable that needs it and nothing else."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__


class Redactor:
    """Replace known secrets, credentials in URLs and well-known token shapes with a mark.

    A secret is found as it is, percent-encoded, as JSON and HTML escape it, and in base64 of either alphabet, even if
    it is only a part of what was encoded (`Authorization: Basic` encodes `user:token`).
    """

    def __init__(self) -> None:
        self._forms: dict[str, tuple[_Form, ...]] = {}

    def learn(self, secrets: Iterable[Secret | None]) -> None:
        """Hide these too from now on; of a value of several lines, such as a key, each line."""
        found = self._forms
        for value in (secret.reveal() for secret in secrets if secret is not None):
            lines = value.splitlines() if "\n" in value else []
            for one in (value, *(line for line in lines if len(line) >= _SHORTEST_LINE)):
                if len(one) >= _SHORTEST and one not in found:
                    found[one] = _forms(one)
        # Longest first: a secret that holds another is hidden whole.
        self._forms = dict(sorted(found.items(), key=lambda item: len(item[0]), reverse=True))

    def __call__(self, text: str) -> str:
        """Return `text` with every secret replaced."""
        for forms in self._forms.values():
            for form in forms:
                if form.run in text:
                    text = form.pattern.sub(HIDDEN, text)
        text = _AUTHORIZATION.sub(rf"\1{HIDDEN}", _CREDENTIALS_IN_URL.sub("", text))
        return _TOKEN_SHAPES.sub(HIDDEN, text)


@dataclass(frozen=True)
class Credentials:
    """Tokens by the name of the environment variable that holds them."""

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    def token(self, variable: str) -> Secret | None:
        """Return the token, or None if the variable is not set."""
        value = self.environment.get(variable, "").strip()
        return Secret(value) if value else None


def has_token_shape(text: str) -> bool:
    """Return whether the text holds something in the form of a token of PyPI or GitHub."""
    return _TOKEN_SHAPES.search(text) is not None


class _Form(NamedTuple):
    """One way to write a secret: its pattern, and letters and digits of it without which the pattern cannot match.

    Looking for those first makes redacting six times as fast.
    """

    pattern: re.Pattern[str]
    run: str


@functools.cache  # a redactor is made for each program that is started
def _forms(value: str) -> tuple[_Form, ...]:
    return (_plain(value), *(_base64(value.encode(), before) for before in range(3)))


def _plain(value: str) -> _Form:
    return _Form(re.compile("".join(map(_escaped, value))), _longest_run(value))


def _escaped(character: str) -> str:
    """Return a pattern for one character as it is, and as URLs, JSON and HTML write it."""
    if _RUN.fullmatch(character):
        return character
    percent = "".join(f"%{byte:02X}" for byte in character.encode())
    forms = [character, json.dumps(character)[1:-1], html.escape(character)]
    forms += {" ": ["+"], "/": ["\\/"]}.get(character, [])
    # Longest first, or `%` would match and leave the 25 of `%25` behind.
    longest_first = sorted(dict.fromkeys(forms), key=len, reverse=True)
    return f"(?:(?i:{percent})|{'|'.join(map(re.escape, longest_first))})"


def _base64(value: bytes, before: int) -> _Form:
    """Return the base64 of any text that holds `value` after `before` bytes, modulo three.

    A character of base64 holds six bits. Those at the edges that hold bits of the neighbours too can be any character.
    """
    encoded = base64.b64encode(bytes(before) + value).decode().rstrip("=")
    whole = encoded[-(-before * 8 // 6) : (before + len(value)) * 8 // 6]
    # URL-safe base64 has - and _ for + and /; a URL may hold the ordinary one percent-encoded, JSON an escaped slash.
    plus, slash = r"(?:[+-]|%2[Bb])", r"(?:[/_]|\\/|%2[Ff])"
    edge = rf"(?:[A-Za-z0-9]|{plus}|{slash})?"
    core = "".join({"+": plus, "/": slash}.get(character, character) for character in whole)
    after = edge if (before + len(value)) % 3 else ""
    return _Form(re.compile(f"{edge if before else ''}{core}{after}(?:=|%3[Dd]){{0,2}}"), _longest_run(whole))


def _longest_run(text: str) -> str:
    return max(_RUN.findall(text), key=len, default="")
