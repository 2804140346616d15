"""A changelog in the form of Keep a Changelog 1.1: read, checked, and rotated for a release.

A rotation adds a heading and updates the compare links at the end. Everything else stays byte for byte: line ends, a
byte order mark, code blocks, comments, separators, and sections about other things.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from releaser.changelog.lead import lead_line
from releaser.changelog.links import Edit, Target, Urls, apply, base_url, link_edits, newline_near
from releaser.changelog.markdown import Scan, label_key, scan
from releaser.changelog.problems import Problem, day_of, later_section, problems_of, spoiling
from releaser.changelog.references import definitions_for
from releaser.changelog.sections import Section, sections_of
from releaser.errors import ChangelogError
from releaser.versions.version import Version


def today_in_utc() -> dt.date:
    """Return the day that a release is dated with, wherever it is made."""
    return dt.datetime.now(dt.timezone.utc).date()


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

        Link definitions that it needs and that stand elsewhere in the file, such as at its foot, follow it.

        A pre-release without a section of its own publishes [Unreleased], which stays where it is.

        Raises:
            ChangelogError: There is no such section, or it has no entries.
        """
        section = self._section_to_publish(version)
        filled = [line for line in section.lines if line.kind != "blank"]
        first, last = filled[0], filled[-1]
        written = self.text[first.start : last.end - len(last.newline)]
        newline = newline_near(self._scan.lines, section.heading.number)
        carried = [*definitions_for(written, first.number, last.number, self.text, self._scan)]
        return newline.join([written, "", *carried]) if carried else written

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
                pre-release; or `refuse_wrong` refuses.
        """
        if version.is_prerelease:
            raise ChangelogError(
                f"{version} is a pre-release, and only a final version moves the entries of [Unreleased]",
                "Leave the changelog as it is: a pre-release publishes [Unreleased] as its notes.",
            )
        existing = self.section(version)
        if existing is not None:
            raise ChangelogError(
                f"{self.name} already has a section for {version}, on line {existing.heading.number}",
                "Release the next version, or move that section's entries to [Unreleased] and remove it.",
            )
        unreleased = self.unreleased
        self.refuse_wrong(version, today=date)
        self._refuse_empty(unreleased)
        return apply(
            self.text,
            [self._new_heading(unreleased, version, date), *self._links(version, repository_url, tag_pattern)],
        )

    def check(self, *, today: dt.date) -> list[str]:
        """Return every problem of the file with its line number; empty if there is none.

        Args:
            today: The day in UTC. It has begun a day later in the east, and dates after that are a problem.
        """
        return [str(problem) for problem in self._problems(today)]

    def refuse_wrong(self, version: Version, *, today: dt.date) -> None:
        """Refuse to publish what would be wrong: a conflict marker, the section of another version, a wrong date.

        What only looks odd, such as a group of another name, is left to `check`.

        Raises:
            ChangelogError: There is such a problem in the file or in the section to publish; each has its line.
        """
        section = self.section(version) or self.unreleased
        if found := spoiling(self._problems(today), section):
            listed = "\n".join(f"- {problem}" for problem in found)
            raise ChangelogError(f"{self.name} would be published wrong:\n{listed}", "Correct these lines and commit.")
        day = day_of(section)
        later = later_section(self.sections, day or today)
        if later and day:
            raise ChangelogError(
                f"{self.name}: [{section.name}] on line {section.heading.number} is dated {day}, before "
                f"[{later.name}] on line {later.heading.number}, which is dated {later.date}",
                "Correct the date that is wrong, and commit.",
            )
        if later and section.is_unreleased:
            raise ChangelogError(
                f"This machine's clock says that today is {today}, before the date of [{later.name}], {later.date}, "
                f"in {self.name} on line {later.heading.number}",
                "Set the clock, or correct that date.",
            )

    def _problems(self, today: dt.date) -> list[Problem]:
        return problems_of(self.text, self._scan, self.sections, today)

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
