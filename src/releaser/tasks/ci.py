"""The menu's tasks for the jobs of the workflows: `ci.build` and others. Nothing heavy is imported here either."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from releaser import commands
from releaser.tasks.menu import task

_VERSION = {"version": "the version in SemVer form, such as 0.2.0 or 0.2.0-rc.1"}


def given(name: str) -> str | None:
    """Return what another job said in a variable; None if it is not set, or is empty as GitHub leaves it."""
    return os.environ.get(name, "").strip() or None


@task(name="build", help=_VERSION)
def ci_build(version: str | None = None) -> None:
    """Make the release commit and build from it, into dist/; the output `manifest` says what was built."""
    commands.ci.build(Path.cwd(), version)


@task(name="rebuild", help=_VERSION)
def ci_rebuild(version: str | None = None) -> None:
    """Build the same again and compare: what MANIFEST says; without it, from the tag that is checked out."""
    commands.ci.rebuild(Path.cwd(), version, given("MANIFEST"))


@task(
    name="test",
    help={**_VERSION, "phase": "what to run: qualify, alone, python (repeatable; default: qualify and alone)"},
    iterable=["phase"],
)
def ci_test(version: str | None = None, phase: Sequence[str] | None = None) -> None:
    """Let the files in dist/ pass what a release from a terminal lets them pass."""
    commands.ci.test(Path.cwd(), version, given("MANIFEST"), phase or ())


@task(name="testpypi", help=_VERSION)
def ci_testpypi(version: str | None = None) -> None:
    """Upload the files in dist/, which MANIFEST and REBUILT agree on, to TestPyPI by the job's identity."""
    commands.ci.testpypi(Path.cwd(), version, given("MANIFEST"), given("REBUILT"))


@task(name="try", help=_VERSION)
def ci_try(version: str | None = None) -> None:
    """Install from TestPyPI what was uploaded there, and run it."""
    commands.ci.try_testpypi(Path.cwd(), version, given("MANIFEST"))


@task(name="release", help=_VERSION)
def ci_release(version: str | None = None) -> None:
    """Push branch and tag, publish the release with the files in dist/, and start the workflows that follow."""
    commands.ci.release(Path.cwd(), version, given("MANIFEST"), given("REBUILT"))


@task(name="expect", help=_VERSION)
def ci_expect(version: str | None = None) -> None:
    """See that dist/ holds the files that MANIFEST and REBUILT agree on, and nothing else; change nothing."""
    commands.ci.expect(Path.cwd(), version, given("MANIFEST"), given("REBUILT"))


@task(name="try-wheel", help=_VERSION)
def ci_try_wheel(version: str | None = None) -> None:
    """Install the wheel in dist/ that was built from the tag, and run it."""
    commands.ci.try_wheel(Path.cwd(), version, given("REBUILT"))


@task(name="attach", help=_VERSION)
def ci_attach(version: str | None = None) -> None:
    """Attach the files in dist/, built from the tag, to a release that was published without them."""
    commands.ci.attach(Path.cwd(), version, given("REBUILT"))


CI_TASKS = (ci_build, ci_rebuild, ci_test, ci_testpypi, ci_try, ci_release, ci_expect, ci_try_wheel, ci_attach)
