"""A text file of any kind that declares the version, such as a Python module with ``__version__``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from releaser.errors import VersionError
from releaser.versions.version_file import VersionFile, line_of

_PLACEHOLDER = "{version}"
# What may stand for a version: from a digit to a letter or digit, with the signs of PEP 440 and SemVer between.
_VERSION_LIKE = r"([0-9](?:[0-9A-Za-z.+!_-]*[0-9A-Za-z])?)"
_NOT_WITHIN_ONE = r"(?<![0-9A-Za-z.+!_-])"


@dataclass(frozen=True)
class PatternVersion(VersionFile):
    """A text file with the version in a piece of text that occurs exactly once.

    Attributes:
        pattern: That text, word for word, with ``{version}`` in the version's place.
    """

    pattern: str = '__version__ = "{version}"'

    def __post_init__(self) -> None:
        if self.pattern.count(_PLACEHOLDER) != 1:
            raise VersionError(
                f"{self.path}: the pattern {self.pattern!r} does not contain {_PLACEHOLDER} exactly once",
                f"Write it like '__version__ = \"{_PLACEHOLDER}\"'.",
            )

    def locate(self, text: str) -> tuple[int, int]:
        """Return where the version is, be it in code, a comment or a string."""
        before, _, after = self.pattern.partition(_PLACEHOLDER)
        expression = f"{re.escape(before) if before else _NOT_WITHIN_ONE}{_VERSION_LIKE}{re.escape(after)}"
        matches = list(re.finditer(expression, text))
        if len(matches) == 1:
            return matches[0].span(1)
        if not matches:
            raise VersionError(
                f"{self.path} does not contain {self.pattern!r}",
                "Write the version there in this form, or correct the pattern in [tool.releaser] version-files.",
            )
        lines = ", ".join(str(line_of(text, match.start(1))) for match in matches)
        raise VersionError(
            f"{self.path} contains {self.pattern!r} {len(matches)} times, on lines {lines}",
            "Make the pattern in [tool.releaser] version-files longer, so that it occurs exactly once.",
        )
