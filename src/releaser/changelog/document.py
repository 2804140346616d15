"""The changelog of a project that keeps one by Keep a Changelog 1.1: read, checked, and rotated for a release.

Only what a release changes is changed: a heading is put in, and the compare links at the foot are kept. Everything else
stays byte for byte: line ends, a byte order mark, code blocks, comments, separators, and sections about other things.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from releaser.changelog import lead
from releaser.changelog.links import Edit, Target, Urls, apply, base_url, link_edits, newline_near
from releaser.changelog.scan import Definition, Scan, definitions_of, label_key, scan
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
    _definitions: dict[str, Definition] = field(repr=False, compare=False)

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
                f"there is no {path}", "Create it with a '## [Unreleased]' section: https://keepachangelog.com"
            ) from None
        except OSError as error:
            raise ChangelogError(f"{path} cannot be read: {error.strerror}", "Check the file.") from error
        try:
            return cls.parse(data.decode("utf-8"), name=path.name)
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise ChangelogError(
                f"{path} is not UTF-8: line {line} holds the byte 0x{data[error.start]:02x}", "Save it as UTF-8."
            ) from None

    @classmethod
    def parse(cls, text: str, *, name: str = "CHANGELOG.md") -> Changelog:
        """Read a text, which must have been decoded without changing its line ends."""
        scanned = scan(text)
        definitions = definitions_of(text, scanned.lines)
        return cls(text, name, tuple(sections_of(text, scanned.lines, definitions)), scanned, definitions)

    @property
    def unreleased(self) -> Section:
        """The section of what is not released yet.

        Raises:
            ChangelogError: There is none, or more than one.
        """
        found = [section for section in self.sections if section.is_unreleased]
        if not found:
            raise ChangelogError(
                f"{self.name} has no [Unreleased] section", "Put '## [Unreleased]' above the newest version."
            )
        if len(found) > 1:
            lines = " and ".join(str(section.heading.number) for section in found)
            raise ChangelogError(
                f"{self.name} has {len(found)} [Unreleased] sections, on lines {lines}", "Merge them into the first."
            )
        return found[0]

    def section(self, version: Version) -> Section | None:
        """The section of a version; None if it has none."""
        return next((section for section in self.sections if section.version == version), None)

    def notes(self, version: Version) -> str:
        """What to publish about a version: its section word for word, without blank lines around it.

        A pre-release that has no section of its own publishes [Unreleased], which stays where it is.

        Raises:
            ChangelogError: There is no such section, or it holds no entry.
        """
        lines = self._section_to_publish(version).lines
        filled = [line for line in lines if line.kind != "blank"]
        return self.text[filled[0].start : filled[-1].end - len(filled[-1].newline)]

    def lead_line(self, version: Version) -> str | None:
        """A few plain words about a version, for a release's title: its first paragraph, or else its first entry.

        Raises:
            ChangelogError: As for `notes`.
        """
        return lead.lead_line(self._section_to_publish(version).lines)

    def rotate(
        self, version: Version, date: dt.date, *, repository_url: str | None, tag_pattern: str = "v{version}"
    ) -> str:
        """The text in which [Unreleased] has become the section of a final version, with an empty one above it.

        The compare links at the foot follow; those of older versions are added where they are missing. Their address
        is the one that the file's own links have, or else ``repository_url``; with neither, links are left alone.

        Raises:
            ChangelogError: [Unreleased] is missing, double or empty, the version has a section already or is a
                pre-release, or a code block or comment is never closed.
        """
        if version.is_prerelease:
            raise ChangelogError(
                f"{version} is a pre-release, and only a final version takes the entries out of [Unreleased]",
                "Leave the changelog as it is; a pre-release publishes [Unreleased] as its notes.",
            )
        if self._scan.unclosed is not None:
            raise ChangelogError(
                f"{self.name}: the code block or comment that begins on line {self._scan.unclosed} is never closed, "
                "so that everything below belongs to it",
                "Close it.",
            )
        existing = self.section(version)
        if existing is not None:
            raise ChangelogError(
                f"{self.name} has a section for {version} already, on line {existing.heading.number}",
                "Release the next version, or move that section's entries to [Unreleased] and remove it.",
            )
        unreleased = self.unreleased
        self._refuse_empty(unreleased)
        return apply(
            self.text,
            [self._new_heading(unreleased, version, date), *self._links(version, repository_url, tag_pattern)],
        )

    def check(self, *, today: dt.date) -> list[str]:
        """Everything that is wrong with the file, each with its line; empty if nothing is.

        Args:
            today: Dates after this day are wrong.
        """
        problems = [*self._order_problems(), *self._section_problems(today), *self._link_problems()]
        if self._scan.unclosed is not None:
            problems.append((self._scan.unclosed, "the code block or comment that begins here is never closed"))
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
                "Write down what changed since the last version, below a heading such as '### Added'.",
            )

    def _new_heading(self, unreleased: Section, version: Version, date: dt.date) -> Edit:
        """The version's heading, in the style of the newest version's, put below that of [Unreleased]."""
        model = self._newest or unreleased
        newline = newline_near(self._scan.lines, unreleased.heading.number)
        name = f"[{self._label(version)}]" if model.style.bracketed else self._label(version)
        day = f"({date.isoformat()})" if model.style.parentheses else f"- {date.isoformat()}"
        above = [unreleased.separator, ""] if unreleased.separator else []
        new = newline.join(["", *above, f"## {name} {day}", ""])
        return Edit(unreleased.heading.end, unreleased.heading.end, new)

    def _label(self, version: Version) -> str:
        """What the file calls a version: with a v in front if the newest one has it."""
        prefix = self._newest.name[0] if self._newest and self._newest.name[0] in "vV" else ""
        return f"{prefix}{version}"

    def _links(self, version: Version, repository_url: str | None, tag_pattern: str) -> list[Edit]:
        base = base_url(self._definitions, [section.name for section in self.sections])
        if base is None and repository_url:
            base = repository_url.rstrip("/").removesuffix(".git")
        if base is None:
            return []
        older = [section for section in self.sections if section.version is not None]
        has_link = [section for section in (self.unreleased, *older) if self._has_link_at_foot(section)]
        targets = [Target(section.name, section.version) for section in has_link]
        if self._has_link_at_foot(self._newest or self.unreleased):
            targets.insert(self.unreleased in has_link, Target(self._label(version), version))
        urls = Urls(base, version, (section.version for section in older if section.version is not None), tag_pattern)
        return link_edits(self._scan.lines, self._definitions, targets, urls)

    def _has_link_at_foot(self, section: Section) -> bool:
        """Whether the section's heading wants a definition at the foot, or has one."""
        return section.is_linked_at_foot or label_key(section.name) in self._definitions

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
                    advice = f"write {known}" if known else f"Keep a Changelog has {', '.join(GROUPS)}"
                    yield group.number, f"'### {group.title}' is no group of changes: {advice}"

    def _link_problems(self) -> Iterator[tuple[int, str]]:
        if all(section.is_unreleased for section in self.sections):
            return  # before the first release there is nothing to compare with
        for section in self.sections:
            if section.is_linked_at_foot and label_key(section.name) not in self._definitions:
                yield section.heading.number, f"[{section.name}] has no compare link at the foot of the file"


def _date_problem(date: str | None, today: dt.date) -> str | None:
    if date is None:
        return "has no date"
    try:
        day = dt.date.fromisoformat(date) if _DATE.fullmatch(date) else None
    except ValueError:
        day = None
    if day is None:
        return f"has no valid date: {date!r} is not a day written as YYYY-MM-DD"
    return f"has a date in the future: {date}" if day > today else None
