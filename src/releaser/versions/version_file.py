"""A file that declares the project's version in one place; each kind of file has a module of its own here.

An edit changes the version and not one byte more. Files are read as text, without importing the project.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from releaser.core.files import inside, write_atomically
from releaser.errors import VersionError
from releaser.versions.version import Version

Scheme = Literal["semver", "pep440"]


@dataclass(frozen=True)
class FoundVersion:
    """A version that a file declares.

    Attributes:
        path: The file, as the configuration has it.
        line: From 1.
        text: The version as written.
        version: What it means, whether written in SemVer or in PEP 440.
    """

    path: str
    line: int
    text: str
    version: Version


@dataclass(frozen=True)
class VersionFile(ABC):
    """A file that declares the version in one place.

    Attributes:
        path: Relative to the project's root.
        scheme: The form in which a new version is written; either form is read.
    """

    path: str
    scheme: Scheme = field(default="semver", kw_only=True)

    @abstractmethod
    def locate(self, text: str) -> tuple[int, int]:
        """Return the offsets of the version's begin and end in the file's text.

        Raises:
            VersionError: It is nowhere, or in more than one place.
        """

    def read(self, root: Path) -> FoundVersion:
        """Return what the file declares.

        Raises:
            VersionError: The file cannot be read, or does not declare one version that could be released.
        """
        return self.found_in(self._text(root))

    def found_in(self, text: str) -> FoundVersion:
        """Return what the file declares if this is its text, such as that of another commit.

        Raises:
            VersionError: It does not declare one version that could be released.
        """
        start, end = self.locate(text)
        written, line = text[start:end], line_of(text, start)
        version = Version.from_pep440(written)
        if version is None:
            try:
                version = Version.parse(written)
            except VersionError as error:
                raise VersionError(f"{self.path}, line {line}: {error.message}", error.remedy) from None
        return FoundVersion(self.path, line, written, version)

    def bumped(self, root: Path, version: Version) -> bytes:
        """Return the file's bytes with another version, otherwise unchanged.

        Raises:
            VersionError: As for `read`, except that the present version may be any.
        """
        text = self._text(root)
        start, end = self.locate(text)
        new = version.pep440 if self.scheme == "pep440" else str(version)
        changed = f"{text[:start]}{new}{text[end:]}"
        if self.locate(changed) != (start, start + len(new)):
            raise VersionError(
                f"{self.path}, line {line_of(text, start)}: with {new} instead of {text[start:end]} the file "
                "would declare its version elsewhere",
                f"Put the version in {self.path} where nothing else looks like one.",
            )
        return changed.encode()

    def write(self, root: Path, version: Version) -> None:
        """Write the new version in one step: a reader sees the old bytes or the new. The file keeps its mode.

        Raises:
            VersionError: As for `bumped`, or the file cannot be written.
        """
        target = self._resolved(root)
        data = self.bumped(root, version)
        if target.read_bytes() == data:
            return
        try:
            write_atomically(target, data)
        except OSError as error:
            raise VersionError(
                f"{self.path} cannot be written: {error.strerror}", f"Make {target.parent} writable."
            ) from error

    def _resolved(self, root: Path) -> Path:
        target = inside(root, self.path)
        if target is None:
            raise VersionError(f"{self.path} leads outside the project", "Configure a file inside the repository.")
        return root / target

    def _text(self, root: Path) -> str:
        path = self._resolved(root)
        try:
            return path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise VersionError(f"{self.path} is not UTF-8: {error.reason}", "Save it as UTF-8.") from None
        except OSError as error:
            raise VersionError(
                f"version file {self.path} cannot be read: {error.strerror}",
                "Create it, or correct version-files in [tool.releaser].",
            ) from error


def line_of(text: str, offset: int) -> int:
    """Return the number of the line, from 1, that contains a character of a text."""
    return len(re.findall(r"\r\n|\r|\n", text[:offset])) + 1
