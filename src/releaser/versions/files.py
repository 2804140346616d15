"""The files that declare a project's version: what they say, and how they say the next one.

An edit changes the version and not one byte more. The classic accident of a release is two files that disagree, so they
are read as text, without importing the project, and `disagreements` names the one that differs.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import stat
import tempfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from releaser.errors import VersionError
from releaser.versions.version import Version

if TYPE_CHECKING:
    from releaser.config.project import VersionFileConfig

Scheme = Literal["semver", "pep440"]

_BOM = "\ufeff"
_PLACEHOLDER = "{version}"
_MARK = "the-version-stands-here"
# What may stand for a version: from a digit to a letter or digit, with the signs of PEP 440 and SemVer between.
_VERSION_LIKE = r"([0-9](?:[0-9A-Za-z.+!_-]*[0-9A-Za-z])?)"
_NOT_WITHIN_ONE = r"(?<![0-9A-Za-z.+!_-])"


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
        """Where the version stands in the file's text: the offsets of its begin and end.

        Raises:
            VersionError: It stands nowhere, or in more than one place.
        """

    def read(self, root: Path) -> FoundVersion:
        """What the file declares.

        Raises:
            VersionError: The file cannot be read, or does not declare one version that could be released.
        """
        return self.found_in(self._text(root))

    def found_in(self, text: str) -> FoundVersion:
        """What the file declares if this is its text, such as that of another commit.

        Raises:
            VersionError: It does not declare one version that could be released.
        """
        start, end = self.locate(text)
        written, line = text[start:end], _line_of(text, start)
        version = Version.from_pep440(written)
        if version is None:
            try:
                version = Version.parse(written)
            except VersionError as error:
                raise VersionError(f"{self.path}, line {line}: {error.message}", error.remedy) from None
        return FoundVersion(self.path, line, written, version)

    def bumped(self, root: Path, version: Version) -> bytes:
        """The file's bytes with another version, and otherwise as they are.

        Raises:
            VersionError: As for `read`, but whatever version stands there is accepted.
        """
        text = self._text(root)
        start, end = self.locate(text)
        new = version.pep440 if self.scheme == "pep440" else str(version)
        changed = f"{text[:start]}{new}{text[end:]}"
        if self.locate(changed) != (start, start + len(new)):
            raise VersionError(
                f"{self.path}, line {_line_of(text, start)}: with {new} in the place of {text[start:end]} the file "
                "would declare its version elsewhere",
                f"Change the version in {self.path} so that it stands by itself, then run again.",
            )
        return changed.encode()

    def write(self, root: Path, version: Version) -> None:
        """Change the file in one step, so that whoever reads it sees the old bytes or the new; its mode stays.

        Raises:
            VersionError: As for `bumped`, or the file cannot be written.
        """
        target = self._resolved(root)
        data = self.bumped(root, version)
        if target.read_bytes() == data:
            return
        try:
            _replace(target, data)
        except OSError as error:
            raise VersionError(
                f"{self.path} cannot be written: {error.strerror}", f"Make {target.parent} writable."
            ) from error

    def _resolved(self, root: Path) -> Path:
        target = (root / self.path).resolve()
        if not target.is_relative_to(root.resolve()):
            raise VersionError(
                f"{self.path} leads out of the project, to {target}", "Configure a file inside the repository."
            )
        return target

    def _text(self, root: Path) -> str:
        path = self._resolved(root)
        try:
            return path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise VersionError(f"{self.path} is not UTF-8: {error.reason}", "Save it as UTF-8.") from None
        except OSError as error:
            raise VersionError(
                f"{self.path}, which should declare the version, cannot be read: {error.strerror}",
                "Create it, or correct the list of version files in the configuration.",
            ) from error


@dataclass(frozen=True)
class TomlVersion(VersionFile):
    """A TOML file with the version as a string under one key.

    Attributes:
        key: Its table and name with dots between, such as ``project.version``.
    """

    key: str = "project.version"

    def locate(self, text: str) -> tuple[int, int]:
        """Where the value stands, without its quotes.

        tomlkit puts a mark in the value's place and writes the document: with the value in the mark's place, that must
        be the file again, byte for byte.
        """
        import tomlkit

        body = text.removeprefix(_BOM)
        document = self._parsed(body)
        value = self._value(document)
        table: Any = document
        *tables, name = self.key.split(".")
        for part in tables:
            table = table[part]
        quotes = table[name].as_string()[:3]
        table[name] = tomlkit.string(_MARK, literal=quotes[0] == "'", multiline=len(set(quotes)) == 1)
        marked = tomlkit.dumps(document)
        start = marked.find(_MARK)
        if marked.replace(_MARK, value) != body:
            raise VersionError(
                f"{self.path}: {self.key} is written with escapes or on several lines",
                f'Write it as {name} = "{value.strip()}".',
            )
        start += len(text) - len(body)
        return start, start + len(value)

    def _parsed(self, body: str) -> dict[str, Any]:
        import tomlkit
        from tomlkit.exceptions import TOMLKitError

        try:
            return tomlkit.parse(body)
        except TOMLKitError as error:
            raise VersionError(f"{self.path} is not valid TOML: {error}", "Mend the file.") from None

    def _value(self, parsed: dict[str, Any]) -> str:
        found: Any = parsed
        for part in self.key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if isinstance(found, str) and found:
            return found
        project = parsed.get("project")
        if self.key == "project.version" and isinstance(project, dict) and "version" in project.get("dynamic", []):
            raise VersionError(
                f"{self.path} declares its version as dynamic", "Configure the file that the build reads it from."
            )
        what = "does not exist" if found is None else f"is {found!r}, not a version in quotes"
        raise VersionError(f"{self.path}: {self.key} {what}", "Add it, or correct the key in the configuration.")


@dataclass(frozen=True)
class PatternVersion(VersionFile):
    """A text file with the version in the middle of a text that stands there exactly once.

    Attributes:
        pattern: That text, word for word, with ``{version}`` in the version's place.
    """

    pattern: str = '__version__ = "{version}"'

    def __post_init__(self) -> None:
        if self.pattern.count(_PLACEHOLDER) != 1:
            raise VersionError(
                f"{self.path}: the pattern {self.pattern!r} does not hold {_PLACEHOLDER} exactly once",
                f"Write it like '__version__ = \"{_PLACEHOLDER}\"'.",
            )

    def locate(self, text: str) -> tuple[int, int]:
        """Where the version stands; whether that is code, a comment or a string makes no difference."""
        before, _, after = self.pattern.partition(_PLACEHOLDER)
        expression = f"{re.escape(before) if before else _NOT_WITHIN_ONE}{_VERSION_LIKE}{re.escape(after)}"
        matches = list(re.finditer(expression, text))
        if len(matches) == 1:
            return matches[0].span(1)
        if not matches:
            raise VersionError(
                f"{self.path} holds {self.pattern!r} nowhere",
                "Put the version there in this form, or correct the pattern in the configuration.",
            )
        lines = ", ".join(str(_line_of(text, match.start(1))) for match in matches)
        raise VersionError(
            f"{self.path} holds {self.pattern!r} {len(matches)} times, on lines {lines}",
            "Make the pattern longer in the configuration, so that it stands there exactly once.",
        )


def from_config(configured: VersionFileConfig) -> VersionFile:
    """The version file that an entry of the configuration describes.

    Raises:
        VersionError: Its pattern does not hold ``{version}`` exactly once.
    """
    if configured.pattern is not None:
        return PatternVersion(configured.path, configured.pattern, scheme=configured.scheme)
    return TomlVersion(configured.path, configured.key or "project.version", scheme=configured.scheme)


def read_dunder_version(path: Path) -> str:
    """The string that a Python file assigns to ``__version__`` at its top level, read without importing it.

    Raises:
        VersionError: The file cannot be read or parsed, or assigns no string or several.
    """
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except OSError as error:
        raise VersionError(f"{path} cannot be read: {error.strerror}", "Check the file.") from error
    except (SyntaxError, ValueError) as error:
        raise VersionError(f"{path} is not valid Python: {error}", "Mend the file.") from None
    values = [value for statement in tree.body if (value := _assigned_version(statement)) is not None]
    if len(values) == 1 and isinstance(values[0], ast.Constant) and isinstance(values[0].value, str):
        return values[0].value
    lines = ", ".join(str(value.lineno) for value in values)
    what = f"more or other than one string (line {lines})" if values else "nothing"
    raise VersionError(f"{path} assigns {what} to __version__", 'Write one line like __version__ = "0.2.0".')


def disagreements(found: Sequence[FoundVersion]) -> str | None:
    """A sentence that names the files whose version is not the one that most have; None if all agree.

    Of versions that equally many files have, the one that comes first counts as what most have.
    """
    counts = Counter(one.version for one in found)
    if len(counts) < 2:
        return None
    usual = max(counts, key=lambda version: counts[version])  # of equals the first
    odd = " and ".join(f"{one.path} (line {one.line}) says {one.text}" for one in found if one.version != usual)
    others = ", ".join(f"{one.path} (line {one.line})" for one in found if one.version == usual)
    return f"{odd}, but {others} {'says' if counts[usual] == 1 else 'say'} {usual}"


def _assigned_version(statement: ast.stmt) -> ast.expr | None:
    if isinstance(statement, ast.Assign):
        targets: list[ast.expr] = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return None
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    return statement.value if "__version__" in names else None


def _line_of(text: str, offset: int) -> int:
    return len(re.findall(r"\r\n|\r|\n", text[:offset])) + 1


def _replace(target: Path, data: bytes) -> None:
    mode = stat.S_IMODE(target.stat().st_mode)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
