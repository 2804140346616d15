"""`invoke changelog.check`, `changelog.notes` and `changelog.rotate`."""

from __future__ import annotations

from pathlib import Path

from releaser.adapters.git import Git
from releaser.adapters.remotes import repository_of
from releaser.changelog.document import Changelog, today_in_utc
from releaser.commands.opening import project, wanted_version
from releaser.core.counting import count_of
from releaser.core.files import write_atomically
from releaser.errors import ChangelogError


def changelog_check(start: Path) -> None:
    """Run `invoke changelog.check`.

    Raises:
        ChangelogError: It has problems; each is named with its line.
    """
    root, config = project(start)
    changelog = Changelog.read(root / config.changelog)
    problems = changelog.check(today=today_in_utc())
    if problems:
        raise ChangelogError(
            f"{config.changelog} has problems:\n" + "\n".join(f"- {one}" for one in problems), "Fix them."
        )
    print(f"{config.changelog}: {count_of(len(changelog.sections), 'section')}, no problems")


def changelog_notes(start: Path, version: str | None) -> None:
    """Run `invoke changelog.notes`."""
    root, config = project(start)
    print(Changelog.read(root / config.changelog).notes(wanted_version(version, config, root)))


def changelog_rotate(start: Path, version: str | None, *, dry_run: bool) -> None:
    """Run `invoke changelog.rotate`."""
    root, config = project(start)
    wanted = wanted_version(version, config, root)
    path = root / config.changelog
    repository = config.forge.repository or repository_of(Git(root).remote_url(config.git.remote) or "")
    rotated = Changelog.read(path).rotate(
        wanted,
        today_in_utc(),
        repository_url=f"{config.forge.web_url.rstrip('/')}/{repository}" if repository else None,
        tag_pattern=config.git.tag,
    )
    if not dry_run:
        write_atomically(path, rotated)
    print(f"[Unreleased] -> [{wanted}] in {config.changelog}" + (" (not written)" if dry_run else ""))
