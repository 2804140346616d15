"""Services, asked once more when a release is over: one that is silent then is a line in a report, no failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from releaser.config.project import IndexName
from releaser.errors import ReleaserError
from releaser.release import Release

_Answer = TypeVar("_Answer")


@dataclass
class Services:
    """Asks services for reports.

    Attributes:
        silent: Why a service gave no answer, by service.
    """

    silent: dict[str, str] = field(default_factory=dict)

    def ask(self, service: str, question: Callable[[], _Answer], instead: _Answer) -> _Answer:
        """Return the answer, or `instead` of one; a service that failed is not asked again."""
        if service in self.silent:
            return instead
        try:
            return question()
        except ReleaserError as error:
            self.silent[service] = error.message
            return instead


def served(release: Release, name: IndexName, services: Services) -> dict[str, str]:
    """Return the sha256 of each file of this version that an index serves."""

    def files() -> dict[str, str]:
        found = release.index(name).files(release.config.distribution, release.version)
        return {file: one.sha256 for file, one in found.items()}

    return services.ask(name, files, {})
