"""The sections of a changelog that are about versions, and how their headings are written.

A section begins with a heading of the second level that names a version or Unreleased, in one of the usual forms:
``## [0.2.0] - 2025-11-08``, ``## 0.2.0 (2025-11-08)``, ``## [0.2.0](address) - 2025-11-08 [YANKED]``,
``## [0.2.0][label] - 2025-11-08``, ``## [0.2.0 - 2025-11-08](address)``.
Any other heading of the first or second level ends it and begins a section about something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from releaser.changelog.markdown import LIST_MARKER, Definition, Line, label_key
from releaser.errors import VersionError
from releaser.versions.version import Version

UNRELEASED = "Unreleased"

_BRACKETED = re.compile(r"\[([^][]+)\](\([^()]*(?:\([^()]*\)[^()]*)*\)|\[[^][]+\](?!\())?(.*)$")
# Other ways to write the same, and how they are read: \\[0.2.0\\], [[0.2.0]](address), [0.2.0 - 2025-11-08](address)
_SAME = (
    (re.compile(r"\\([][])"), r"\1"),
    (re.compile(r"^\[(\[[^][]+\])\]"), r"\1"),
    (re.compile(r"^\[([^][\s]+)[ \t]+([-(\u2013\u2014][^][]*)\](\([^()]*\)|\[[^][]*\])"), r"[\1]\3 \2"),
)
_BARE = re.compile(r"(\S+)(.*)$")
_VERSION_NAME = re.compile(r"[vV]?[0-9]+\.[0-9][0-9A-Za-z.+!_-]*")
_YANKED = re.compile(r"\[yanked\]", re.IGNORECASE)
_DASH = re.compile(r"[-\u2013\u2014](?=[ \t]|$)")


@dataclass(frozen=True)
class Style:
    """How a section's heading is written.

    Attributes:
        bracketed: Whether the name is in square brackets.
        inline_link: Whether an address follows them, so that no definition at the end of the file is needed.
        parentheses: Whether the date is in parentheses instead of after a dash.
    """

    bracketed: bool
    inline_link: bool
    parentheses: bool


@dataclass(frozen=True)
class Section:
    """The part of a changelog about one version, or about what is not released yet.

    Attributes:
        name: ``Unreleased``, or the version as the heading has it.
        version: None for [Unreleased], and for a name that cannot be released (such as ``1.2``).
        date: The text in the date's place, as written; None if there is none.
        yanked: Whether the heading says [YANKED].
        body: The text between the heading and the next section, separator or compare links, word for word.
        start: Offset of the heading in the text.
        end: Offset of the end of the body.
        heading: The heading's line.
        style: How it is written.
        lines: The body's lines.
        separator: The thematic break, such as ``---``, between this section and the next; empty if there is none.
    """

    name: str
    version: Version | None
    date: str | None
    yanked: bool
    body: str = field(repr=False)
    start: int
    end: int
    heading: Line = field(repr=False)
    style: Style = field(repr=False)
    lines: tuple[Line, ...] = field(repr=False)
    separator: str = field(repr=False)

    @property
    def is_unreleased(self) -> bool:
        """Whether this is [Unreleased]."""
        return self.name == UNRELEASED

    @property
    def is_empty(self) -> bool:
        """Whether it has no entries: only group headings, comments, blank lines and bullets without text."""
        return not any(
            line.kind in ("text", "code", "html") and not LIST_MARKER.fullmatch(line.content) for line in self.lines
        )

    @property
    def needs_definition(self) -> bool:
        """Whether its heading is a link whose address is a definition at the end of the file."""
        return self.style.bracketed and not self.style.inline_link


@dataclass(frozen=True)
class _Heading:
    name: str
    date: str | None
    yanked: bool
    style: Style


def sections_of(text: str, lines: Sequence[Line], definitions: Mapping[str, Definition]) -> Iterator[Section]:
    """Yield the sections of a text, in its order."""
    borders = [index for index, line in enumerate(lines) if line.kind == "heading" and line.level <= 2]
    headings = {index: heading for index in borders if (heading := _read_heading(lines[index])) is not None}
    of_versions = {label_key(heading.name) for heading in headings.values()} | {label_key(UNRELEASED)}
    links = {definition.first.number for label, definition in definitions.items() if label in of_versions}
    for index, following in pairwise([*borders, len(lines)]):
        heading = headings.get(index)
        if heading is None:
            continue
        inside = lines[index + 1 : following]
        body = inside[: _length_of_body(inside, links)]
        end = body[-1].end if body else lines[index].end
        separators = [line.content for line in inside[len(body) :] if line.kind == "break"]
        yield Section(
            name=heading.name,
            version=_version(heading.name),
            date=heading.date,
            yanked=heading.yanked,
            body=text[lines[index].end : end],
            start=lines[index].start,
            end=end,
            heading=lines[index],
            style=heading.style,
            lines=tuple(body),
            separator=separators[0] if separators and following in headings else "",
        )


def _read_heading(line: Line) -> _Heading | None:
    """Return the section that a heading begins; None if it is about something else."""
    return _read_title(line.title) if line.level == 2 else None


def names_version(title: str) -> bool:
    """Return whether a heading of this text would begin a section, so that a reader takes it for one."""
    heading = _read_title(title)
    return heading is not None and (heading.style.bracketed or heading.date is not None)


def _read_title(title: str) -> _Heading | None:
    for form, same in _SAME:
        title = form.sub(same, title)
    match = _BRACKETED.match(title)
    bracketed = match is not None
    match = match or _BARE.match(title)
    if match is None:
        return None
    name, inline_link, rest = match[1].strip(), bracketed and match[2] is not None, match[match.re.groups].strip()
    is_unreleased = name.casefold() == UNRELEASED.casefold()
    if not is_unreleased and not _VERSION_NAME.fullmatch(name):
        return None
    yanked = _YANKED.search(rest) is not None
    date = _YANKED.sub("", rest).strip()
    parentheses = date.startswith("(") and date.endswith(")")
    if parentheses:
        date = date[1:-1].strip()
    elif _DASH.match(date):
        date = date[1:].strip()
    elif date and not bracketed:  # a sentence that begins with a number, such as "3.10 support"
        return None
    style = Style(bracketed, inline_link, parentheses)
    return _Heading(UNRELEASED if is_unreleased else name, date or None, yanked, style)


def _version(name: str) -> Version | None:
    try:
        return Version.parse(name.removeprefix("v").removeprefix("V"))
    except VersionError:
        return None


def _length_of_body(lines: Sequence[Line], links: set[int]) -> int:
    """Return how many of a section's lines come before the separator or the compare links that end it.

    Definitions that the section's own text uses (``[#12]: address``) stay with it.
    """
    length = len(lines)
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if line.number in links or line.kind == "break":
            length = index
        elif line.kind not in ("blank", "comment", "definition"):
            break
    return length
