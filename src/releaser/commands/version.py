"""`invoke version.show`, `version.check`, `version.bump` and `version.explain`."""

from __future__ import annotations

import sys
from pathlib import Path

from releaser.adapters.git import Git
from releaser.changelog.document import Changelog
from releaser.commands.opening import project
from releaser.errors import CommandError, ServiceError, UsageError, VersionError
from releaser.history.tags import History
from releaser.images.tags import tags_of
from releaser.versions.files import disagreements, from_config
from releaser.versions.version import PARTS, Version
from releaser.versions.version_file import FoundVersion


def version_show(start: Path) -> None:
    """Run `invoke version.show`."""
    for one in _found(start):
        print(f"{one.version}  {one.path}:{one.line}")


def version_check(start: Path) -> None:
    """Run `invoke version.check`.

    Raises:
        VersionError: The files disagree with one another, with the changelog or with the newest tag.
    """
    root, config = project(start)
    found = _found(start)
    declared = found[0].version
    newest = max((s.version for s in Changelog.read(root / config.changelog).sections if s.version), default=None)
    git = Git(root)
    history = History(git, config.git.remote, config.git.branch, config.git.tag)
    try:
        tagged = history.highest_of_branch(git.head())
    except (ServiceError, CommandError) as error:
        print(f"{error.message}. Only the tags of this clone are compared.", file=sys.stderr)
        tagged = history.highest_here(git.head())
    wrong: dict[str, str] = {}
    if difference := disagreements(found):
        wrong[difference] = f"`invoke version.bump --to {declared}`"
    if not declared.is_prerelease and newest != declared:
        what = f"the newest section of {config.changelog} is {newest or 'missing'}, and the files say {declared}"
        ahead = newest is not None and newest > declared
        wrong[what] = (
            f"`invoke version.bump --to {newest}`" if ahead else f"`invoke changelog.rotate --version {declared}`"
        )
    if tagged and tagged > declared:
        what = f"the newest tag is {tagged.tag(config.git.tag)}, and the files say {declared}"
        wrong[what] = f"`invoke version.bump --to {tagged}`"
    if wrong:
        raise VersionError(
            "The declared versions differ: " + "; ".join(wrong),
            f"Run {', then '.join(dict.fromkeys(wrong.values()))}.",
        )
    agreeing = ", ".join([*(one.path for one in found), config.changelog])
    print(f"{declared}: {agreeing} agree; newest tag: {tagged or 'none yet'}")


def version_bump(start: Path, to: str | None, part: str | None, *, dry_run: bool) -> None:
    """Run `invoke version.bump`."""
    root, config = project(start)
    files = [from_config(one) for one in config.version_files]
    now = files[0].read(root).version
    if (to is None) == (part is None):
        offered = ", ".join(f"{name} ({version})" for name, version in now.next_versions().items())
        raise UsageError("Exactly one of --to and --part is needed", f"Give --to VERSION or --part PART: {offered}.")
    known = next((one for one in PARTS if one == part), None)
    if part is not None and known is None:
        raise UsageError(f"A version has no part {part}", f"Choose one of {', '.join(PARTS)}.")
    new = Version.parse(to) if to is not None else now.bump(known or "patch")
    for file in files:
        file.bumped(root, new)
    for file in files:
        if not dry_run:
            file.write(root, new)
        print(f"{now} -> {new}  {file.path}" + ("  (not written)" if dry_run else ""))


def version_explain(start: Path, text: str | None) -> None:
    """Run `invoke version.explain`."""
    if not text:
        raise UsageError("No version was given", "Give one: `invoke version.explain 0.2.0-rc.1`.")
    if text in ("-h", "--help"):  # invoke hands a positional argument whatever follows it
        print("Usage: invoke version.explain VERSION\n\n`invoke --help version.explain` says more.")
        return
    version = Version.parse(text)
    _, config = project(start)
    print(f"SemVer      {version}")
    print(f"PEP 440     {version.pep440}")
    print(f"tag         {version.tag(config.git.tag)}")
    print(f"kind        {'pre-release, never latest' if version.is_prerelease else 'final release'}")
    for number, target in enumerate(config.images.targets):
        tags = ", ".join(tag.name for tag in tags_of(target, version, released=()))
        print(f"{'image tags' if number == 0 else '':<11} {tags}")
    if config.images.targets and not version.is_prerelease:
        print(f"{'':<11} (X.Y and latest only where no higher final version is out)")


def _found(start: Path) -> list[FoundVersion]:
    root, config = project(start)
    return [from_config(one).read(root) for one in config.version_files]
