"""What the forge's page of a release says: its title and its notes."""

from __future__ import annotations

import hashlib

from releaser.adapters.forge.records import ReleaseInfo
from releaser.release import Release

WITHDRAWN = "> [!WARNING]\n> **Withdrawn:**"
"""How the page of a release begins that was rolled back when users had it."""


def title(release: Release) -> str:
    """Return the release's title: with the brief description if there is one."""
    pattern = release.config.forge.title
    description = release.description or release.changelog().lead_line(release.version)
    if not description:
        pattern = pattern.partition("{description}")[0].rstrip(" -:")
    return pattern.format(version=release.version, description=description)


def notes(release: Release) -> str:
    """Return the changelog's section word for word, how to install, and where all changes stand."""
    config = release.config
    words = {
        "distribution": config.distribution,
        "version": release.version.pep440 if release.version.is_prerelease else str(release.version),
        "changelog": config.changelog,
        "changelog_url": release.forge.file_url(config.changelog, release.tag),
    }
    parts = [release.notes(), config.forge.install.format(**words), config.forge.full_changes.format(**words)]
    return "\n\n".join(part for part in parts if part) + "\n"


def identity(found: ReleaseInfo) -> str:
    """Return what tells a title with its notes from any others."""
    return hashlib.sha256(f"{found.name}\n{with_lf(found.body)}".encode()).hexdigest()


def is_kept(release: Release, found: ReleaseInfo) -> bool:
    """Return whether a person chose to keep title and notes as they are: they stand edited by somebody."""
    return release.store.chain.newest("kept", step="draft_release", sha256=identity(found)) is not None


def is_withdrawn(found: ReleaseInfo) -> bool:
    """Return whether a rollback has put its warning before the notes."""
    return with_lf(found.body).startswith(WITHDRAWN)


def record_edit(release: Release, before: ReleaseInfo, changed: ReleaseInfo) -> None:
    """Record an edit of ours: title and notes are this release's now, or still those that a person chose to keep."""
    if is_kept(release, before):
        release.journal.write("kept", step="draft_release", sha256=identity(changed), name=changed.name)
    else:
        release.journal.write("drafted", sha256=identity(changed))


def with_lf(text: str) -> str:
    """Return a text without CRLF, for comparing: a changelog may have it, and a forge may make it."""
    return text.replace("\r\n", "\n")
