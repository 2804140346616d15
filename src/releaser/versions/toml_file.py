"""A TOML file that declares the version, such as pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from releaser.errors import VersionError
from releaser.versions.version_file import VersionFile

_BOM = "\ufeff"
_MARK = "the-version-stands-here"


@dataclass(frozen=True)
class TomlVersion(VersionFile):
    """A TOML file with the version as a string under one key.

    Attributes:
        key: Its table and name with dots between, such as ``project.version``.
    """

    key: str = "project.version"

    def locate(self, text: str) -> tuple[int, int]:
        """Return where the value is, without its quotes.

        tomlkit writes the document with a mark instead of the value: with the value instead of the mark, that must be
        the file again, byte for byte.
        """
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
        try:
            return tomlkit.parse(body)
        except TOMLKitError as error:
            raise VersionError(f"{self.path} is not valid TOML: {error}", "Fix the file.") from None

    def _value(self, parsed: dict[str, Any]) -> str:
        found: Any = parsed
        for part in self.key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        if isinstance(found, str) and found:
            return found
        project = parsed.get("project")
        if self.key == "project.version" and isinstance(project, dict) and "version" in project.get("dynamic", []):
            raise VersionError(
                f"{self.path} declares its version as dynamic", "Configure the file from which the build reads it."
            )
        what = "does not exist" if found is None else f"is {found!r}, not a version in quotes"
        raise VersionError(f"{self.path}: {self.key} {what}", "Add it, or correct the key in the configuration.")
