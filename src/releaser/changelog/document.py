"""A changelog in the form of Keep a Changelog 1.1: read, checked, and rotated for a release.

A rotation adds a heading and updates the compare links at the end. Everything else stays byte for byte: line ends, a
byte order mark, code blocks, comments, separators, and sections about other things.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from releaser.changelog.lead import lead_line
from releaser.changelog.links import Edit, Target, Urls, apply, base_url, link_edits, newline_near
from releaser.changelog.markdown import Scan, label_key, scan
from releaser.changelog.sections import Section, sections_of
from releaser.errors import ChangelogError
from releaser.versions.version import Version

GROUPS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Changelog:
    """A changelog's text and its sections.

    Attributes:
        text: The whole file, decoded, with its own line ends and its byte order mark. Written back with
            ``path.write_bytes(text.encode())`` it is the same file.
        name: The file's name, for messages.
        sections: In the file's order.
    """

    text: str = field(repr=False)
    name: str
    sections: tuple[Section, ...]
    _scan: Scan = field(repr=False, compare=False)

    @classmethod
    def read(cls, path: Path) -> Changelog:
        """Read a file.

        Raises:
            ChangelogError: The file is missing or unreadable, or it is not UTF-8.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ChangelogError(
                f"{path} does not exist", "Create it with a '## [Unreleased]' section: https://keepachangelog.com"
            ) from None
        except OSError as error:
            raise ChangelogError(
                f"{path} cannot be read: {error.strerror}", "Check the path and its permissions."
            ) from error
        try:
            return cls.parse(data.decode("utf-8"), name=path.name)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ChangelogError(
                f"{path} is not UTF-8: line {line} has the byte 0x{data[error.start]:02x}", "Save it as UTF-8."
            ) from None

    @classmethod
    def parse(cls, text: str, *, name: str = "CHANGELOG.md") -> Changelog:
        """Read a text that was decoded without changing its line ends."""
        scanned = scan(text)
        return cls(text, name, tuple(sections_of(text, scanned.lines, scanned.definitions)), scanned)

    @property
    def unreleased(self) -> Section:
        """The section for what is not released yet.

        Raises:
            ChangelogError: There is none, or more than one.
        """
        found = [section for section in self.sections if section.is_unreleased]
        if not found:
            raise ChangelogError(
                f"{self.name} has no [Unreleased] section", "Add '## [Unreleased]' above the newest version."
            )
        if len(found) > 1:
            lines = " and ".join(str(section.heading.number) for section in found)
            raise ChangelogError(
                f"{self.name} has {len(found)} [Unreleased] sections, on lines {lines}", "Merge them into the first."
            )
        return found[0]

    def section(self, version: Version) -> Section | None:
        """Return the section of a version; None if it has none."""
        return next((section for section in self.sections if section.version == version), None)

    def notes(self, version: Version) -> str:
        """Return what to publish about a version: its section word for word, without blank lines around it.

        A pre-release without a section of its own publishes [Unreleased], which stays where it is.

        Raises:
            ChangelogError: There is no such section, or it has no entries.
        """
        lines = self._section_to_publish(version).lines
        filled = [line for line in lines if line.kind != "blank"]
        return self.text[filled[0].start : filled[-1].end - len(filled[-1].newline)]

    def lead_line(self, version: Version) -> str | None:
        """Return a few plain words about a version, for the title of a release: its first paragraph or entry.

        Raises:
            ChangelogError: As for `notes`.
        """
        return lead_line(self._section_to_publish(version).body, self._scan.references)

    def rotate(
        self, version: Version, date: dt.date, *, repository_url: str | None, tag_pattern: str = "v{version}"
    ) -> str:
        """Return the text with [Unreleased] turned into the section of a final version, and an empty one above it.

        The compare links at the end are updated, and missing ones of older versions are added. Their address is the
        one in the file's own links, or else ``repository_url``; with neither, no link is added.

        Raises:
            ChangelogError: [Unreleased] is missing, empty, or there twice; the version has a section already or is a
                pre-release; or a code block or comment is never closed.
        """
        if version.is_prerelease:
            raise ChangelogError(
                f"{version} is a pre-release, and only a final version moves the entries of [Unreleased]",
                "Leave the changelog as it is: a pre-release publishes [Unreleased] as its notes.",
            )
        if self._scan.unclosed is not None:
            raise ChangelogError(
                f"{self.name}, line {self._scan.unclosed.line}: {self._scan.unclosed.what}",
                "Fix that line: everything below it belongs to it.",
            )
        existing = self.section(version)
        if existing is not None:
            raise ChangelogError(
                f"{self.name} already has a section for {version}, on line {existing.heading.number}",
                "Release the next version, or move that section's entries to [Unreleased] and remove it.",
            )
        unreleased = self.unreleased
        self._refuse_empty(unreleased)
        return apply(
            self.text,
            [self._new_heading(unreleased, version, date), *self._links(version, repository_url, tag_pattern)],
        )

    def check(self, *, today: dt.date) -> list[str]:
        """Return every problem of the file with its line number; empty if there is none.

        Args:
            today: Dates after this day are a problem.
        """
        problems = [*self._order_problems(), *self._section_problems(today), *self._link_problems()]
        if self._scan.unclosed is not None:
            problems.append(self._scan.unclosed)
        if not any(section.is_unreleased for section in self.sections):
            problems.append((1, "there is no [Unreleased] section"))
        return [f"line {line}: {problem}" for line, problem in sorted(problems)]

    @property
    def _newest(self) -> Section | None:
        return next((section for section in self.sections if not section.is_unreleased), None)

    def _section_to_publish(self, version: Version) -> Section:
        section = self.section(version)
        if section is None and not version.is_prerelease:
            raise ChangelogError(
                f"{self.name} has no section for {version}", f"Move the entries of [Unreleased] to '## [{version}]'."
            )
        section = section or self.unreleased
        self._refuse_empty(section)
        return section

    def _refuse_empty(self, section: Section) -> None:
        if section.is_empty:
            raise ChangelogError(
                f"{self.name}: [{section.name}] on line {section.heading.number} has no entries",
                "List what changed since the last version, under a heading such as '### Added'.",
            )

    def _new_heading(self, unreleased: Section, version: Version, date: dt.date) -> Edit:
        """Add the version's heading below that of [Unreleased], in the style of the newest version's."""
        model = self._newest or unreleased
        newline = newline_near(self._scan.lines, unreleased.heading.number)
        name = f"[{self._label(version)}]" if model.style.bracketed else self._label(version)
        day = f"({date.isoformat()})" if model.style.parentheses else f"- {date.isoformat()}"
        above = [unreleased.separator, ""] if unreleased.separator else []
        new = newline.join(["", *above, f"## {name} {day}", ""])
        return Edit(unreleased.heading.end, unreleased.heading.end, new)

    def _label(self, version: Version) -> str:
        """Return the version as the file writes it: with a v in front if the newest one has it."""
        prefix = self._newest.name[0] if self._newest and self._newest.name[0] in "vV" else ""
        return f"{prefix}{version}"

    def _links(self, version: Version, repository_url: str | None, tag_pattern: str) -> list[Edit]:
        base = base_url(self._scan.definitions, [section.name for section in self.sections])
        if base is None and repository_url:
            base = repository_url.rstrip("/").removesuffix(".git")
        if base is None:
            return []
        older = [section for section in self.sections if section.version is not None]
        has_link = [section for section in (self.unreleased, *older) if self._has_definition(section)]
        targets = [Target(section.name, section.version) for section in has_link]
        if self._has_definition(self._newest or self.unreleased):
            targets.insert(self.unreleased in has_link, Target(self._label(version), version))
        urls = Urls(base, version, (section.version for section in older if section.version is not None), tag_pattern)
        return link_edits(self._scan.lines, self._scan.definitions, targets, urls)

    def _has_definition(self, section: Section) -> bool:
        """Return whether the section's heading needs a definition at the end of the file, or has one."""
        return section.needs_definition or label_key(section.name) in self._scan.definitions

    def _order_problems(self) -> Iterator[tuple[int, str]]:
        first_lines: dict[str, int] = {}
        previous: Section | None = None
        for section in self.sections:
            line = section.heading.number
            first = first_lines.setdefault(str(section.version or section.name), line)
            if first != line:
                yield line, f"a second section for [{section.name}]; the first is on line {first}"
            elif section.is_unreleased and previous is not None:
                yield line, f"[Unreleased] belongs above [{previous.name}]"
            elif section.version and previous and previous.version and section.version > previous.version:
                yield line, f"[{section.name}] belongs above [{previous.name}]: the newest comes first"
            previous = section

    def _section_problems(self, today: dt.date) -> Iterator[tuple[int, str]]:
        for section in self.sections:
            line = section.heading.number
            if not section.is_unreleased:
                problem = _date_problem(section.date, today)
                if problem:
                    yield line, f"[{section.name}] {problem}"
                if section.is_empty:
                    yield line, f"[{section.name}] has no entries"
            for group in section.lines:
                if group.kind == "heading" and group.level == 3 and group.title not in GROUPS:
                    known = next((name for name in GROUPS if name.casefold() == group.title.casefold()), None)
                    advice = f"write {known}" if known else f"use one of {', '.join(GROUPS)}"
                    yield group.number, f"'### {group.title}' is not a group of changes: {advice}"

    def _link_problems(self) -> Iterator[tuple[int, str]]:
        if all(section.is_unreleased for section in self.sections):
            return  # before the first release there is nothing to compare with
        for section in self.sections:
            if section.needs_definition and label_key(section.name) not in self._scan.definitions:
                yield section.heading.number, f"[{section.name}] has no compare link at the end of the file"


def _date_problem(date: str | None, today: dt.date) -> str | None:
    if date is None:
        return "has no date"
    try:
        day = dt.date.fromisoformat(date) if _DATE.fullmatch(date) else None
    except ValueError:
        day = None
    if day is None:
        return f"has the invalid date {date!r}; write an existing day as YYYY-MM-DD"
    return f"has a date in the future: {date}" if day > today else None
