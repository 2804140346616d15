"""Reads a changelog's lines: which of them are headings, entries or link definitions, and which are only quoted.

markdown-it-py reads the Markdown, as CommonMark defines it: what is in a code block, an HTML block, a quotation or a
list item is no heading of the document. Its tokens have line numbers; nothing is rendered, so an edit that goes by
these lines leaves every other byte as it was.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

Kind = Literal["blank", "heading", "definition", "break", "comment", "code", "html", "text"]

LIST_MARKER = re.compile(r"(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]|$)")

_DEFINITION = re.compile(r"\[(?:[^][\\]|\\.)+\]:\s*(<[^<>\r\n]*>|\S+)", re.DOTALL)
_LINE_END = re.compile(r"\r\n?")
_RAW_HTML = re.compile(r"<(?:pre|script|style|textarea)(?=[\s>]|$)", re.IGNORECASE)
_RAW_HTML_END = re.compile(r"</(?:pre|script|style|textarea)>", re.IGNORECASE)

_DEEPEST = 100  # blocks in blocks (a list and its item are two); each takes two frames of Python's stack of 1,000
_READ = {"heading_open", "hr", "definition", "fence", "code_block", "html_block"}

PARSER = MarkdownIt("commonmark", {"maxNesting": _DEEPEST, "inline_definitions": True}).enable("strikethrough")
# Rules and mdurl's tables are compiled at their first use; steps that begin at once would meet half of them.
PARSER.parse("[label]: /address\n\n[text](/address)\n")


class Line(NamedTuple):
    """One line of the text.

    Attributes:
        number: Counted from 1.
        start: Offset of its first character.
        end: Offset after its line end.
        content: The line without its line end, without a byte order mark, and without surrounding white space.
        newline: Its line end; empty at the end of a text that has no final newline.
        kind: What the line is. A heading in a list item or a quotation is text, and so is one that is underlined
            instead of marked with hashes.
        level: 1 to 6 for a heading, else 0.
        title: A heading's text, without the hashes on either side.
    """

    number: int
    start: int
    end: int
    content: str
    newline: str
    kind: Kind
    level: int
    title: str


@dataclass(frozen=True)
class Definition:
    """A link reference definition, ``[label]: url``, on one line or on several.

    Attributes:
        first: The line with its label.
        last: The line with its end.
        url: The destination as written, without angle brackets.
        url_start: The destination's offset in the text.
        id: The label in the form in which the parser compares labels.
    """

    first: Line
    last: Line
    url: str
    url_start: int
    id: str


class Unclosed(NamedTuple):
    """A block that hides the rest of the text.

    Attributes:
        line: The number of the line where it begins.
        what: What it is, and why it does not end.
    """

    line: int
    what: str


@dataclass(frozen=True)
class Scan:
    """What a text holds.

    Attributes:
        lines: All of its lines, in order.
        definitions: The link reference definitions that can be edited, by `label_key`; of two for one label, the first
            counts.
        references: All of them, as the parser returns them.
        repeated: For each later definition of a label, its line's number, that of the first, and the label as written.
        underlined: The headings that are underlined instead of marked with hashes, each with its line's number.
        unclosed: What hides the end of the text; None if nothing does.
    """

    lines: tuple[Line, ...]
    definitions: Mapping[str, Definition]
    references: Mapping[str, Any]
    repeated: tuple[tuple[int, int, str], ...]
    underlined: tuple[tuple[int, str], ...]
    unclosed: Unclosed | None


def label_key(label: str) -> str:
    """Return the form in which labels are compared (CommonMark 0.31 §4.7)."""
    return " ".join(label.split()).casefold()


def with_line_feeds(text: str) -> str:
    """Return the text with every line ended as the parser expects it. Its lines stay the same ones."""
    return _LINE_END.sub("\n", text)


def scan(text: str) -> Scan:
    """Read a text, in time linear in its length."""
    env: dict[str, Any] = {}
    state = _Blocks(with_line_feeds(text.removeprefix("\ufeff")), PARSER, env, [])
    PARSER.block.tokenize(state, 0, state.lineMax)
    lines = tuple(_lines(text, state.tokens))
    definitions: dict[str, Definition] = {}
    repeated = []
    for token in state.tokens:
        if _is_definition(token):
            first, last = (lines[index] for index in _ends(token))
            match = _DEFINITION.search(text, first.start, last.end)
            if match is not None:
                label, url_start = token.meta["label"], match.start(1) + match[1].startswith("<")
                definition = Definition(first, last, match[1].strip("<>"), url_start, token.meta["id"])
                counting = definitions.setdefault(label_key(label), definition)
                if counting is not definition:
                    repeated.append((first.number, counting.first.number, label))
    underlined = (
        (_ends(token)[0] + 1, inside.content)
        for token, inside in pairwise(state.tokens)
        if token.type == "heading_open" and token.level == 0 and token.markup[0] != "#"
    )
    references = env.get("references", {})
    return Scan(lines, definitions, references, tuple(repeated), tuple(underlined), _unclosed(state, lines))


class _Blocks(StateBlock):
    """The parser's state, without the tokens that are not read here: of 5,000 entries there would be 27,000."""

    too_deep: int | None = None

    def __init__(self, *facts: Any) -> None:
        super().__init__(*facts)
        self._other = Token("", "", 0)

    def push(self, ttype: str, tag: str, nesting: Literal[-1, 0, 1]) -> Token:
        """Take the next token."""
        if ttype in _READ or (ttype == "inline" and self.tokens and self.tokens[-1].type == "heading_open"):
            return super().push(ttype, tag, nesting)
        self.level += nesting
        if self.level >= _DEEPEST and self.too_deep is None:
            self.too_deep = self.line + 1
        return self._other


def _ends(token: Token) -> tuple[int, int]:
    """Return the indexes of a block's first and last line."""
    assert token.map is not None
    return token.map[0], token.map[1] - 1


def _is_definition(token: Token) -> bool:
    """Return whether a block is a definition that can be edited; of ``[^1]: text`` GitHub makes a footnote."""
    return token.type == "definition" and token.level == 0 and not token.meta["label"].startswith("^")


def _lines(text: str, tokens: list[Token]) -> Iterator[Line]:
    kinds: dict[int, Kind] = {}
    headings: dict[int, tuple[int, str]] = {}
    for number, token in enumerate(tokens):
        first, last = _ends(token)
        if token.type == "heading_open" and token.level == 0 and token.markup[0] == "#":
            kinds[first] = "heading"
            headings[first] = len(token.markup), tokens[number + 1].content
        elif token.type == "hr" and token.level == 0:
            kinds[first] = "break"
        elif _is_definition(token):
            kinds.update(dict.fromkeys(range(first, last + 1), "definition"))
        elif token.type in ("fence", "code_block", "html_block"):
            is_comment = token.type == "html_block" and token.content.lstrip().startswith("<!--")
            kind: Kind = "comment" if is_comment else "html" if token.type == "html_block" else "code"
            kinds.update(dict.fromkeys(range(first, last + 1), kind))
            if is_comment and any(part.partition("<!--")[0].strip() for part in token.content.split("-->")):
                kinds[last] = "text"  # what follows a comment on its last line
    start = 0
    # newline="" splits at \n, \r\n and \r alone (as CommonMark does) and keeps them; str.splitlines knows more ends
    for index, raw in enumerate(io.StringIO(text, newline="")):
        bare = raw.rstrip("\r\n")
        content = (bare.removeprefix("\ufeff") if index == 0 else bare).strip(" \t")
        kind = kinds.get(index) or ("text" if content else "blank")
        level, title = headings.get(index, (0, ""))
        end = start + len(raw)
        yield Line(index + 1, start, end, content, raw[len(bare) :], kind, level, title)
        start = end


def _unclosed(state: _Blocks, lines: tuple[Line, ...]) -> Unclosed | None:
    if state.too_deep is not None:
        return Unclosed(state.too_deep, f"the list items and quotations are more than {_DEEPEST // 2} deep")
    filled = next((line.number for line in reversed(lines) if line.content), 0)
    for token in state.tokens:
        first, last = _ends(token)
        if last + 1 >= filled and (what := _never_closed(token, last - first)):
            return Unclosed(first + 1, what)
    return None


def _never_closed(token: Token, lines_below: int) -> str | None:
    content = token.content.lstrip()
    if token.type == "fence":
        inside = token.content.count("\n") + (token.content[-1:] not in ("", "\n"))
        return "the code block is never closed" if lines_below == inside else None
    if token.type != "html_block":
        return None
    if content.startswith("<!--"):
        return "the comment is never closed" if "-->" not in content else None
    is_raw = _RAW_HTML.match(content) and not _RAW_HTML_END.search(content)
    return "the HTML element is never closed" if is_raw else None
