"""What is rehearsed, and where its state is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from releaser.adapters.git import Git
from releaser.config.project import Config
from releaser.rehearsal.faults import RehearsalFaults
from releaser.rehearsal.hosting import Carried
from releaser.versions.version import Version


@dataclass(frozen=True)
class Rehearsal:
    """What is rehearsed, and how.

    Attributes:
        path: Where its state is kept; see `place`.
        root: The checkout.
        config: The project's configuration.
        version: The version.
        faults: What the stand-ins do wrong on purpose.
        title: The description in the release's title, if it was given.
        hosted: The workflows that are carried out.
        quick: Whether workflows leave out the sessions of tests.
    """

    path: Path
    root: Path
    config: Config
    version: Version
    faults: RehearsalFaults
    title: str | None = None
    hosted: Carried = field(default_factory=Carried)
    quick: bool = False

    @property
    def repository(self) -> str:
        """OWNER/NAME at the stand-in for GitHub."""
        return self.config.forge.repository or f"rehearsal/{self.config.distribution}"


def place(state: Path, config: Config, git: Git, version: Version, *kind: str) -> Path:
    """Return where a rehearsal of a version from the commit that is checked out is kept.

    Args:
        state: Where all state is kept.
        config: The project's configuration.
        git: The checkout.
        version: The version.
        kind: What sets it apart from another rehearsal of the same version.
    """
    return state / "rehearsals" / "-".join((config.distribution, git.head()[:12], str(version), *kind))
