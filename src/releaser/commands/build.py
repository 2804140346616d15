"""Building from the checkout, publishing built files, and the checks that a release must pass."""

from __future__ import annotations

import tempfile
from pathlib import Path

from releaser import engine
from releaser.adapters import nox
from releaser.adapters.git.entries import unlike
from releaser.commands.checkout import open_checkout, with_files
from releaser.commands.opening import opened_release, project
from releaser.config.project import IndexName
from releaser.core.files import sha256
from releaser.core.step import Phase, Warned, in_order, part_of
from releaser.dists.from_release import download_from_release
from releaser.errors import ConflictError, StepError, UsageError
from releaser.plan import release_plan
from releaser.steps.keep.copy_dists import CopyDists

_PUBLISH = {"testpypi": ("upload_testpypi", "try_testpypi"), "pypi": ("upload_pypi",)}


def build(start: Path, out: Path) -> None:
    """Run `invoke build`."""
    opened = open_checkout(start)
    if changes := opened.git.changes():
        print(f"The checkout has {len(changes)} uncommitted changes; they are built too.")
    if differing := unlike(opened.git, opened.revision, opened.source_files()):
        shown = ", ".join(differing[:5]) + (f" and {len(differing) - 5} more" if len(differing) > 5 else "")
        print(f"Not built as commit {opened.revision[:12]} stores them: {shown}")
    copy = CopyDists(opened.git.root / out)
    keep = Phase("keep", "built files kept", in_order(copy))
    engine.carry_out(opened, (*part_of(release_plan(opened.config), "build"), keep), skip={}, confirm=engine.say_yes)
    for path in copy.copied():
        print(f"{sha256(path)}  {path}")


def publish(start: Path, version: str | None, index: IndexName, *, dist: str | None, from_release: bool) -> None:
    """Run `invoke publish.testpypi` or `invoke publish.pypi`.

    Raises:
        ConflictError: TestPyPI serves other bytes under this version.
    """
    opened = opened_release(start, version)
    with tempfile.TemporaryDirectory(prefix="releaser-publish-") as scratch:
        if from_release:
            instead = "Give the directory of its files and their checksums with --dist instead of --from-release."
            fetched = download_from_release(opened.forge, opened.tag, Path(scratch) / "dist", instead)
            opened = with_files(opened, fetched)
        elif dist is not None:
            opened = with_files(opened, Path(dist).resolve())
        opened.built()
        part = part_of(release_plan(opened.config), *_PUBLISH[index])
        for result in engine.carry_out(opened, part, skip={}, confirm=engine.say_yes):
            if isinstance(result.outcome, Warned):  # In a release it is left out; here it is all that is wanted.
                raise ConflictError(result.outcome.reason, result.outcome.remedy)


def check(start: Path) -> None:
    """Run `invoke check`.

    Raises:
        StepError: A session failed.
        UsageError: No session is configured.
    """
    root, config = project(start)
    sessions = [*config.qualify.sessions, *config.qualify.checks]
    if not sessions:
        raise UsageError(
            "No session is configured, so there is nothing to check", "Name sessions under [tool.releaser.qualify]."
        )
    if failed := nox.failed_in_front(sessions, root):
        raise StepError(
            f"Checks failed: {', '.join(failed)}", "Fix the failures in the output above and rerun the command."
        )
