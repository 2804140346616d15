"""The menu's tasks for version files and changelog. Nothing heavy is imported here either."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context

from releaser import commands
from releaser.tasks.menu import VERSION, is_dry, task


@task(name="show")
def version_show() -> None:
    """Print each version file and the version that it declares."""
    commands.version.version_show(Path.cwd())


@task(name="check")
def version_check() -> None:
    """Check that version files, changelog and newest tag agree."""
    commands.version.version_check(Path.cwd())


@task(name="bump", help={"to": "the version to write", "part": "patch, minor, major, alpha, beta, rc or final"})
def version_bump(c: Context, to: str | None = None, part: str | None = None) -> None:
    """Write a version to every version file; change nothing else."""
    commands.version.version_bump(Path.cwd(), to, part, dry_run=is_dry(c))


@task(name="explain", positional=["text"], help={"text": "a version"})
def version_explain(text: str | None = None) -> None:
    """Print a version's SemVer and PEP 440 forms, its tag and its image tags, or why it cannot be released."""
    commands.version.version_explain(Path.cwd(), text)


@task(name="check")
def changelog_check() -> None:
    """Check the changelog: sections, order, dates, headings and links."""
    commands.changelog.changelog_check(Path.cwd())


@task(name="notes", help=VERSION)
def changelog_notes(version: str | None = None) -> None:
    """Print the section of a version, word for word, as its release notes will have it."""
    commands.changelog.changelog_notes(Path.cwd(), version)


@task(name="rotate", help=VERSION)
def changelog_rotate(c: Context, version: str | None = None) -> None:
    """Turn the changelog's [Unreleased] into the section of a version, and update the compare links."""
    commands.changelog.changelog_rotate(Path.cwd(), version, dry_run=is_dry(c))


VERSION_TASKS = (version_show, version_check, version_bump, version_explain)
CHANGELOG_TASKS = (changelog_check, changelog_notes, changelog_rotate)
