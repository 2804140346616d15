"""What is wrong in a changelog, line by line, and what of it would be wrong in what is published."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from itertools import chain
from typing import NamedTuple

from releaser.changelog.markdown import Line, Scan, label_key
from releaser.changelog.sections import Section, names_version

GROUPS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")

# The day is that of UTC; where the sun rises first, the next one has begun.
_AHEAD = dt.timedelta(days=1)
# A machine without a battery believes that it is 1970 or 1980.
_EARLIEST = dt.date(1990, 1, 1)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MARKERS = ("<<<<<<<", "|||||||", ">>>>>>>")
_HASHES = re.compile(r"#{1,6}[^\S\t\n\r]*(.*)")
_VERSION = re.compile(
    r"\W{0,9}(?:version|release)?\W{0,9}v?[0-9]+\.[0-9]+\.[0-9]+(?=\W{0,9}$|[^\w\s]{0,3}\s{0,9}[-\u2013\u2014(:/\[\])>])",
    re.IGNORECASE,
)
_GLUED = re.compile(r"\[([^][]+)\]:[ \t]*\S")
_DETAILS = re.compile(r"<(/?)details\b", re.IGNORECASE)


class Spoils(Enum):
    """What a problem makes wrong."""

    NOTHING = 0  # published, it looks odd
    SECTION = 1  # the section that it is in
    FILE = 2  # any section


class Problem(NamedTuple):
    """Something wrong on a line, counted from 1."""

    line: int
    what: str
    spoils: Spoils = Spoils.NOTHING

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


def problems_of(text: str, scan: Scan, sections: Sequence[Section], today: dt.date) -> list[Problem]:
    """Return every problem of a changelog, in the order of its lines.

    Args:
        text: The whole file.
        scan: What it holds.
        sections: Its sections, in its order.
        today: The day in UTC; a date after the next day is a problem.
    """
    found = chain(
        _unreadable(text, scan),
        _headings(text, scan, sections),
        _order(sections),
        *(_section(section, today) for section in sections),
        _links(scan, sections),
    )
    return sorted(found, key=lambda problem: problem[:2])


def spoiling(problems: Sequence[Problem], section: Section) -> list[Problem]:
    """Return the problems because of which a section would be published wrong."""
    lines = range(section.heading.number, section.heading.number + len(section.lines) + 1)
    return [
        one for one in problems if one.spoils is Spoils.FILE or (one.spoils is Spoils.SECTION and one.line in lines)
    ]


def day_of(section: Section) -> dt.date | None:
    """Return a section's date; None if it has none, or one that does not exist."""
    try:
        return dt.date.fromisoformat(section.date) if section.date and _DATE.fullmatch(section.date) else None
    except ValueError:
        return None


def later_section(sections: Sequence[Section], today: dt.date) -> Section | None:
    """Return the section with the latest date if that is still to come: then either it or the clock is wrong."""
    dated = ((day, section) for section in sections if (day := day_of(section)))
    day, section = max(dated, key=lambda one: one[0], default=(today, None))
    return section if day > today + _AHEAD else None


def _unreadable(text: str, scan: Scan) -> Iterator[Problem]:
    marked = any(marker in text for marker in _MARKERS)  # one look at the whole is faster than one at each line
    for line in scan.lines if marked else ():
        if text.startswith(_MARKERS, line.start) and line.content[7:8] in ("", " "):
            yield Problem(line.number, f"the conflict marker {line.content[:7]} of an unfinished merge", Spoils.FILE)
    if scan.unclosed is not None:
        yield Problem(*scan.unclosed, Spoils.FILE)


def _headings(text: str, scan: Scan, sections: Sequence[Section]) -> Iterator[Problem]:
    """Yield the lines that a reader takes for the heading of a section, and CommonMark or this program does not."""
    known = {section.heading.number for section in sections}
    for line in scan.lines:
        if not line.content.startswith("#") or line.number in known:
            continue
        if line.kind == "heading" and line.level != 2 and names_version(line.title):
            what = f"'{line.content}' is of level {line.level}, so it begins no section; write '## {line.title}'"
            yield Problem(line.number, what, Spoils.SECTION)
        elif line.kind == "heading" and line.level == 2 and _VERSION.match(line.title):
            yield Problem(line.number, f"'{line.content}' is not read as a version; write '## [X.Y.Z] - YYYY-MM-DD'")
        elif line.kind in ("text", "html") and text.startswith("#", line.start):
            match = _HASHES.match(line.content)
            if match and names_version(match[1]):
                above = "an empty line above it" if line.kind == "html" else "a space after the hashes"
                yield Problem(line.number, f"'{line.content}' is no heading: write {above}", Spoils.SECTION)
    for number, title in scan.underlined:
        if names_version(title):
            what = f"'{title}' is underlined, so it begins no section; write '## {title}'"
            yield Problem(number, what, Spoils.SECTION)


def _order(sections: Sequence[Section]) -> Iterator[Problem]:
    first_lines: dict[str, int] = {}
    previous: Section | None = None
    for section in sections:
        line = section.heading.number
        first = first_lines.setdefault(str(section.version or section.name), line)
        if first != line:
            yield Problem(line, f"a second section for [{section.name}]; the first is on line {first}")
        elif section.is_unreleased and previous is not None:
            yield Problem(line, f"[Unreleased] belongs above [{previous.name}]")
        elif section.version and previous and previous.version and section.version > previous.version:
            yield Problem(line, f"[{section.name}] belongs above [{previous.name}]: the newest comes first")
        previous = section
    if not any(section.is_unreleased for section in sections):
        yield Problem(1, "there is no [Unreleased] section")


def _section(section: Section, today: dt.date) -> Iterator[Problem]:
    line = section.heading.number
    if not section.is_unreleased:
        if problem := _date_problem(section, today):
            # A day that exists and cannot be right comes from a clock; other words are how somebody writes.
            spoils = Spoils.SECTION if day_of(section) else Spoils.NOTHING
            yield Problem(line, f"[{section.name}] {problem}", spoils)
        if section.is_empty:
            yield Problem(line, f"[{section.name}] has no entries")
    for group in section.lines:
        if group.level == 3 and group.title not in GROUPS and not names_version(group.title):
            known = next((name for name in GROUPS if name.casefold() == group.title.casefold()), None)
            advice = f"write {known}" if known else f"use one of {', '.join(GROUPS)}"
            yield Problem(group.number, f"'### {group.title}' is not a group of changes: {advice}")
    yield from _details(section)


def _details(section: Section) -> Iterator[Problem]:
    """Yield the <details> that a section's notes would leave open, or close without opening it."""
    opened: list[Line] = []
    for line in section.lines if _DETAILS.search(section.body) else ():
        for tag in _DETAILS.finditer(line.content) if line.kind == "html" else ():
            if not tag[1]:
                opened.append(line)
            elif opened:
                opened.pop()
            else:
                yield Problem(line.number, f"</details> closes what is not opened in [{section.name}]", Spoils.SECTION)
    for line in opened:
        yield Problem(line.number, f"<details> is not closed in [{section.name}]", Spoils.SECTION)


def _links(scan: Scan, sections: Sequence[Section]) -> Iterator[Problem]:
    for again, first, label in scan.repeated:
        yield Problem(again, f"a second definition of [{label}]; the one on line {first} counts")
    if all(section.is_unreleased for section in sections):
        return  # before the first release there is nothing to compare with
    missing = [one for one in sections if one.needs_definition and label_key(one.name) not in scan.definitions]
    found = ((line, _GLUED.match(line.content)) for line in scan.lines if missing and line.kind == "text")
    glued = {label_key(match[1]): line.number for line, match in found if match}
    for section in missing:
        what = f"[{section.name}] has no compare link at the end of the file"
        if number := glued.get(label_key(section.name)):
            what += f": line {number} goes on with the text above it; write an empty line between them"
        yield Problem(section.heading.number, what)


def _date_problem(section: Section, today: dt.date) -> str | None:
    if section.date is None:
        return "has no date"
    day = day_of(section)
    if day is None:
        return f"has the invalid date {section.date!r}; write an existing day as YYYY-MM-DD"
    if day < _EARLIEST:
        return f"has the date {section.date}: the clock was wrong"
    return f"has a date in the future: {section.date}" if day > today + _AHEAD else None
