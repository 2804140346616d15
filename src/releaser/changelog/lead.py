"""One short plain line out of a section's Markdown, for the title of a release."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from releaser.changelog.scan import LIST_MARKER, Line

LIMIT = 70

_LONGEST_SOURCE = 500  # characters that are looked at for a line of LIMIT
_NOT_PROSE = ("|", ">", "![", "<")
_TASK_BOX = re.compile(r"\[[ xX]\][ \t]+")
_CODE_SPAN = re.compile(r"(`+)(.+?)(?<!`)\1(?!`)")
_PLAIN = (
    (re.compile(r"<!--.*?-->"), ""),
    (re.compile(r"<(https?://[^<>]*)>"), r"\1"),
    (re.compile(r"!?\[([^][]*)\](?:\([^()]*\)|\[[^][]*\])"), r"\1"),
    (re.compile(r"(?<!\\)\*{1,3}(?=\S)([^*]*)(?<=[^\s\\])\*{1,3}"), r"\1"),
    (re.compile(r"(?<!\w)_{1,3}(?=\S)([^_]*)(?<=\S)_{1,3}(?!\w)"), r"\1"),
    (re.compile(r"~~([^~]*)~~"), r"\1"),
    (re.compile(r"\\([!-/:-@[-`{-~])"), r"\1"),
)


def lead_line(lines: Sequence[Line]) -> str | None:
    """The first paragraph or list item of a section as plain text of at most 70 characters; None if it has neither."""
    for index, line in enumerate(lines):
        if line.kind != "text" or line.content.startswith(_NOT_PROSE):
            continue
        wrapped = takewhile(_goes_on, lines[index + 1 :])
        whole = " ".join([_without_markers(line), *(more.content for more in wrapped)])
        text = plain(whole[:_LONGEST_SOURCE])
        if text:
            return shortened(text)
    return None


def plain(markdown: str) -> str:
    """Markdown of one paragraph without its marks: emphasis, links, code spans, escapes."""
    pieces, position = [], 0
    for code in _CODE_SPAN.finditer(markdown):
        pieces += [_without_marks(markdown[position : code.start()]), code[2].strip()]
        position = code.end()
    pieces.append(_without_marks(markdown[position:]))
    return " ".join("".join(pieces).split())


def shortened(text: str) -> str:
    """At most `LIMIT` characters of a text, cut between words, without the full stop at its end."""
    if len(text) <= LIMIT:
        return text[:-1] if text.endswith(".") and not text.endswith("..") else text
    cut = text[:LIMIT]
    words = cut[: cut.rfind(" ")] if " " in cut else cut[:-1]
    return words.rstrip(" ,;:.-\u2013\u2014(") + "\u2026"


def _goes_on(line: Line) -> bool:
    return line.kind == "text" and not LIST_MARKER.match(line.content) and not line.content.startswith(_NOT_PROSE)


def _without_markers(line: Line) -> str:
    text = line.content
    while line.in_list and (marker := LIST_MARKER.match(text)):
        text = text[marker.end() :].lstrip(" \t")
    box = _TASK_BOX.match(text)
    return text[box.end() :] if box else text


def _without_marks(text: str) -> str:
    for pattern, replacement in _PLAIN:
        text = pattern.sub(replacement, text)
    return text
