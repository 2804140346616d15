"""One short plain line from a section's Markdown, for the title of a release."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from markdown_it.token import Token

from releaser.changelog.markdown import PARSER, with_line_feeds

LIMIT = 70

_LONGEST_SOURCE = 500  # characters that are looked at for a line of LIMIT
_NOT_PROSE = ("|", "![", "<")  # a table, a row of badges, HTML
_TASK_BOX = re.compile(r"\[[ xX]\][ \t]+")


def lead_line(markdown: str, references: Mapping[str, Any]) -> str | None:
    """Return the first paragraph or list item as plain text of at most `LIMIT` characters; None if there is neither.

    Args:
        markdown: A section's body.
        references: The link reference definitions of the whole text, as the parser returns them.
    """
    tokens: list[Token] = []
    PARSER.block.parse(with_line_feeds(markdown), PARSER, {}, tokens)
    found = (_plain(source, references) for source in _prose(tokens))
    return next((_shortened(text) for text in found if text), None)


def _prose(tokens: list[Token]) -> Iterator[str]:
    """Yield the Markdown of each paragraph and list item, without quotations."""
    quotations = 0
    for before, token in pairwise(tokens):
        if before.type == "blockquote_open":
            quotations += 1
        elif before.type == "blockquote_close":
            quotations -= 1
        elif before.type == "paragraph_open" and not quotations:
            box = _TASK_BOX.match(token.content)
            if before.level > 0 or not token.content.startswith(_NOT_PROSE):
                yield token.content[box.end() if box else 0 :]


def _plain(markdown: str, references: Mapping[str, Any]) -> str:
    """Return a paragraph's text without its marks: emphasis, links, code spans, escapes."""
    children: list[Token] = []
    PARSER.inline.parse(markdown[:_LONGEST_SOURCE], PARSER, {"references": references}, children)
    return " ".join("".join(_text(token) for token in children).split())


def _text(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return "" if token.type == "html_inline" else token.content


def _shortened(text: str) -> str:
    """Return at most `LIMIT` characters of a text, cut between words, without the full stop at its end."""
    if len(text) <= LIMIT:
        return text[:-1] if text.endswith(".") and not text.endswith("..") else text
    cut = text[:LIMIT]
    words = cut[: cut.rfind(" ")] if " " in cut else cut[:-1]
    return words.rstrip(" ,;:.-\u2013\u2014(") + "\u2026"
