"""Reads a changelog's lines: which of them are headings, entries or link definitions, and which are only quoted.

Markdown as CommonMark 0.31 defines it, as far as a changelog's structure needs it: what stands in a code block, in an
HTML comment or in a list item is no heading of the document. Nothing is rendered and nothing is changed, so whoever
edits by these lines leaves every other byte as it was.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["blank", "heading", "definition", "break", "comment", "code", "text"]

_FENCE = re.compile(r"(`{3,}(?=[^`]*$)|~{3,})")
_RAW_HTML = re.compile(r"<(?:pre|script|style|textarea)(?=[\s>]|$)", re.IGNORECASE)
_RAW_HTML_END = re.compile(r"</(?:pre|script|style|textarea)>", re.IGNORECASE)
_COMMENT_END = re.compile("-->")
LIST_MARKER = re.compile(r"(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]|$)")
_DEFINITION = re.compile(r"\[(?!\^)((?:[^][\\]|\\.){1,999})\]:[ \t]*(<[^<>]*>|\S+)")
_BREAK = re.compile(r"([-*_])[ \t]*(?:\1[ \t]*){2,}$")

_DEEPEST = 50  # list items in list items; more on one line would take time in proportion to its square


@dataclass(frozen=True)
class Line:
    """One line of the text.

    Attributes:
        number: Counted from 1.
        start: Offset of its first character.
        end: Offset after its line end.
        content: The line without its line end, without a byte order mark, and without surrounding white space.
        newline: Its line end; empty at the end of a text that has no final newline.
        kind: What the line is; a fence's own lines are code, and what stands in a list item is text.
        level: 1 to 6 for a heading, else 0.
        in_list: Whether the line belongs to a list item.
    """

    number: int
    start: int
    end: int
    content: str
    newline: str
    kind: Kind
    level: int = 0
    in_list: bool = False

    @property
    def title(self) -> str:
        """A heading's text, without the hashes on either side (CommonMark 0.31 §4.2)."""
        text = self.content[self.level :].strip(" \t")
        bare = text.rstrip("#")
        return bare.rstrip(" \t") if bare == "" or bare[-1] in " \t" else text


@dataclass(frozen=True)
class Definition:
    """A link reference definition on one line: ``[label]: url``.

    Attributes:
        line: Where it stands.
        url: The destination, without angle brackets.
        url_start: The destination's offset in the text.
    """

    line: Line
    url: str
    url_start: int


def label_key(label: str) -> str:
    """The form in which labels are compared (CommonMark 0.31 §4.7)."""
    return " ".join(label.split()).casefold()


def definitions_of(text: str, lines: tuple[Line, ...]) -> dict[str, Definition]:
    """The link reference definitions among a text's lines, by `label_key`; of two for one label the first counts."""
    found: dict[str, Definition] = {}
    for line in lines:
        match = _DEFINITION.search(text, line.start, line.end) if line.kind == "definition" else None
        if match is not None:
            url_start = match.start(2) + match[2].startswith("<")
            found.setdefault(label_key(match[1]), Definition(line, match[2].strip("<>"), url_start))
    return found


@dataclass(frozen=True)
class _Block:
    """An open block whose lines are not read as Markdown."""

    kind: Kind
    end: re.Pattern[str]
    first_line: int
    offset: int  # columns of the list item that holds it; a line with fewer closes both


@dataclass(frozen=True)
class Scan:
    """The lines of a text.

    Attributes:
        lines: All of them, in order.
        unclosed: The line that opens a code block or comment which nothing closes; None if there is none.
    """

    lines: tuple[Line, ...]
    unclosed: int | None


def scan(text: str) -> Scan:
    """Read a text, in time linear in its length."""
    scanner = _Scanner()
    lines = tuple(scanner.lines(text))
    return Scan(lines, scanner.block.first_line if scanner.block is not None else None)


class _Scanner:
    def __init__(self) -> None:
        self.block: _Block | None = None
        self.items: list[int] = []  # where the content of each open list item begins, in columns, outermost first

    def lines(self, text: str) -> Iterator[Line]:
        start = 0
        # newline="" splits at \n, \r\n and \r alone (as CommonMark does) and keeps them; str.splitlines knows more ends
        for number, raw in enumerate(io.StringIO(text, newline=""), 1):
            bare = raw.rstrip("\r\n")
            visible = bare.removeprefix("\ufeff") if number == 1 else bare
            content = visible.strip(" \t")
            kind, in_list = self._kind(visible, content, number)
            level = len(content) - len(content.lstrip("#")) if kind == "heading" else 0
            yield Line(number, start, start + len(raw), content, raw[len(bare) :], kind, level, in_list)
            start += len(raw)

    def _kind(self, visible: str, content: str, number: int) -> tuple[Kind, bool]:
        if not content:
            return (self.block.kind if self.block else "blank"), bool(self.items)
        indent = _columns(visible)
        while self.items and indent < self.items[-1]:
            self.items.pop()
        if self.block is not None and indent >= self.block.offset:
            return self._inside(self.block, content, indent), bool(self.items)
        self.block = None
        if indent - self._offset() > 3:  # an indented code block, or a paragraph's next line
            return "text", bool(self.items)
        rest, indent = self._enter_items(content, indent)
        opened = self._open(rest, number) if indent - self._offset() <= 3 else None
        if opened is not None:
            return opened, bool(self.items)
        return ("text", True) if self.items else (_plain_kind(content), False)

    def _offset(self) -> int:
        return self.items[-1] if self.items else 0

    def _inside(self, block: _Block, content: str, indent: int) -> Kind:
        # a closing fence is indented by three columns at most; HTML ends wherever its end stands
        if block.end.search(content) and (block.end in (_COMMENT_END, _RAW_HTML_END) or indent - block.offset <= 3):
            self.block = None
            return _comment_or_text(content) if block.kind == "comment" else block.kind
        return block.kind

    def _enter_items(self, content: str, indent: int) -> tuple[str, int]:
        """Open the list items that begin on this line; what follows their markers, and the column where it begins."""
        while indent - self._offset() <= 3 and len(self.items) < _DEEPEST and not _BREAK.match(content):
            marker = LIST_MARKER.match(content)
            if marker is None:
                break
            rest = content[marker.end() :].lstrip(" \t")
            gap = _columns(content[marker.end() :], indent + marker.end()) if rest else 1
            # five columns or more after the marker begin an indented code block one column after it (§5.2)
            self.items.append(indent + marker.end() + (gap if gap <= 4 else 1))
            content, indent = rest, indent + marker.end() + gap
        return content, indent

    def _open(self, content: str, number: int) -> Kind | None:
        """Open the code block or HTML block that begins here."""
        fence = _FENCE.match(content)
        if fence is not None:
            closing = re.compile(rf"^{re.escape(fence[1][0])}{{{len(fence[1])},}}$")
            self.block = _Block("code", closing, number, self._offset())
            return "code"
        if content.startswith("<!--"):
            if _COMMENT_END.search(content):
                return _comment_or_text(content)
            self.block = _Block("comment", _COMMENT_END, number, self._offset())
            return "comment"
        if _RAW_HTML.match(content):
            if not _RAW_HTML_END.search(content):
                self.block = _Block("code", _RAW_HTML_END, number, self._offset())
            return "code"
        return None


def _comment_or_text(last_line: str) -> Kind:
    return "comment" if last_line.endswith("-->") else "text"


def _plain_kind(content: str) -> Kind:
    if content[0] == "#" and re.match(r"#{1,6}(?:[ \t]|$)", content):
        return "heading"
    if content[0] == "[" and _DEFINITION.match(content):
        return "definition"
    return "break" if _BREAK.match(content) else "text"


def _columns(text: str, start: int = 0) -> int:
    """How many columns of white space a text begins with; tabs stop at every fourth column (§2.2)."""
    column = start
    for char in text:
        if char == "\t":
            column += 4 - column % 4
        elif char == " ":
            column += 1
        else:
            break
    return column - start
