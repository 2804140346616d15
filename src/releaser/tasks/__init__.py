"""The menu: `from releaser.tasks import namespace` in a project's tasks.py gives it every task.

Nothing heavy is imported here, because `invoke --list` and tab completion pay for it.

Exit codes: 0 done, 1 a step failed, 2 wrong use or configuration, 3 the world contradicts the release (nothing was
touched), 4 not confirmed, 5 gave up waiting for an index, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from releaser.tasks.docker import IMAGE_TASKS
from releaser.tasks.exits import is_dry, reporting_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

# Invoke keeps Python from caching what it compiles, so that nothing lies beside tasks.py; without a cache, though, the
# engine is compiled anew at every start. Whoever told Python itself to cache nothing is obeyed.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)

_REQUIRE = "fail if this step or phase has to be left out (repeatable): images, e2e ..."
_VERSION = {"version": "the version in SemVer form, such as 0.2.0 or 0.2.0-rc.1"}


@task(
    help={
        **_VERSION,
        "dry-run": "print the plan with what the world says to each step now, and touch nothing",
        "yes": "answer the one question beforehand",
        "skip": "leave out a step or a phase (repeatable): testpypi, pass_e2e, close_milestone ...; it is recorded",
        "require": _REQUIRE,
        "title": "the brief description in the release's title; by default the changelog section's lead line",
    },
    iterable=["skip", "require"],
)
@reporting_errors
def release(
    c: Context,
    version: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    skip: Sequence[str] | None = None,
    require: Sequence[str] | None = None,
    title: str | None = None,
) -> None:
    """Release a version: from a clean checkout to the index and the forge, and the proof that it arrived.

    Running it again goes on where it stopped. Exit codes: 1 a step failed, 2 wrong use, 3 conflicts (nothing touched),
    4 not confirmed, 5 gave up waiting, 130 Ctrl-C, 143 SIGTERM.
    """
    from releaser.commands import release as command

    dry = dry_run or is_dry(c)
    command.release(Path.cwd(), version, dry_run=dry, yes=yes, skip=skip or (), title=title, require=require or ())


@task(
    help={
        **_VERSION,
        "keep": "leave the stand-ins running afterwards and print their addresses",
        "fresh": "forget what an earlier rehearsal of this commit and version left",
        "quick": "leave out the project's test and check sessions, to try the process in under a minute",
        "skip": "leave out a step or a phase (repeatable)",
        "require": _REQUIRE,
        "title": "the brief description in the release's title",
        "fault": "a disaster to rehearse, WHO:NAME[=VALUE] (repeatable); docs/rehearsal.md lists them",
    },
    iterable=["skip", "require", "fault"],
)
@reporting_errors
def rehearse(
    c: Context,  # noqa: ARG001  invoke's signature
    version: str | None = None,
    keep: bool = False,
    fresh: bool = False,
    quick: bool = False,
    skip: Sequence[str] | None = None,
    require: Sequence[str] | None = None,
    title: str | None = None,
    fault: Sequence[str] | None = None,
) -> None:
    """Carry out the whole release of HEAD against stand-ins on this machine; nothing public, no account needed.

    The same steps as `invoke release`, on a scratch clone, with an index, a forge and a git remote on loopback. Running
    it again meets the same world.
    """
    from releaser.commands import rehearse as command

    lists = {"skip": skip or (), "require": require or (), "fault": fault or ()}
    command.rehearse(Path.cwd(), version, keep=keep, fresh=fresh, quick=quick, title=title, **lists)


@task(help=_VERSION)
@reporting_errors
def status(c: Context, version: str | None = None) -> None:  # noqa: ARG001  invoke's signature
    """Show each step of a release as the world shows it now, and touch nothing; exit 3 if something is in the way."""
    from releaser.commands import release as command

    command.release(Path.cwd(), version, dry_run=True, yes=False, skip=(), title=None)


@task(help=_VERSION)
@reporting_errors
def rollback(c: Context, version: str | None = None) -> None:
    """Take a release back, last step first, as far as that goes; from there say what the way forward is."""
    from releaser.commands import release as command

    command.rollback(Path.cwd(), version, dry_run=is_dry(c))


@task(help={**_VERSION, "reason": "why, as users will read it", "undo": "wait for the release to be un-yanked instead"})
@reporting_errors
def yank(
    c: Context,  # noqa: ARG001  invoke's signature
    version: str | None = None,
    reason: str | None = None,
    undo: bool = False,
) -> None:
    """Yank a release: print the page that does it and the reason to paste, then watch until the index shows it."""
    from releaser.commands import release as command

    command.yank(Path.cwd(), version, reason, undo=undo)


@task(help={**_VERSION, "yes": "answer the one question beforehand"})
@reporting_errors
def tag(c: Context, version: str | None = None, yes: bool = False) -> None:
    """Make the annotated tag at the release commit, and push branch and tag together."""
    from releaser.commands import release as command

    command.run_phases(Path.cwd(), version, ("push",), yes=yes, dry_run=is_dry(c))


@task(help={"out": "where to put the files (default: dist)"})
@reporting_errors
def build(c: Context, out: str = "dist") -> None:  # noqa: ARG001  invoke's signature
    """Build sdist and wheel of the tree as it is, check them, and write checksums and bill of materials beside them."""
    from releaser.commands import build as command

    command.build(Path.cwd(), Path(out))


@task
@reporting_errors
def check(c: Context) -> None:  # noqa: ARG001  invoke's signature
    """The code gate: every session that a release must pass, and type checking, on the tree as it is."""
    from releaser.commands import build as command

    command.check(Path.cwd())


_PUBLISH_HELP = {
    **_VERSION,
    "dist": "upload the files in this directory (with their SHA256SUMS) instead of those that `invoke release` built",
    "from-release": "upload the files attached to the forge's release, as the publishing workflow does",
}


@task(name="testpypi", help=_PUBLISH_HELP)
@reporting_errors
def publish_testpypi(
    c: Context,  # noqa: ARG001  invoke's signature
    version: str | None = None,
    dist: str | None = None,
    from_release: bool = False,
) -> None:
    """Upload the built files to TestPyPI, wait until it shows them, install from there."""
    from releaser.commands import build as command

    command.publish(Path.cwd(), version, "testpypi", dist=dist, from_release=from_release)


@task(name="pypi", help=_PUBLISH_HELP)
@reporting_errors
def publish_pypi(
    c: Context,  # noqa: ARG001  invoke's signature
    version: str | None = None,
    dist: str | None = None,
    from_release: bool = False,
) -> None:
    """Upload the built files to PyPI (in a workflow: by trusted publishing), and wait until it shows them."""
    from releaser.commands import build as command

    command.publish(Path.cwd(), version, "pypi", dist=dist, from_release=from_release)


@task(name="show")
@reporting_errors
def version_show(c: Context) -> None:  # noqa: ARG001  invoke's signature
    """Print each version file with the version that it declares."""
    from releaser.commands import version as command

    command.version_show(Path.cwd())


@task(name="check")
@reporting_errors
def version_check(c: Context) -> None:  # noqa: ARG001  invoke's signature
    """Check that all version files agree, and agree with the changelog and the newest tag."""
    from releaser.commands import version as command

    command.version_check(Path.cwd())


@task(name="bump", help={"to": "the version to write", "part": "patch, minor, major, alpha, beta, rc or final"})
@reporting_errors
def version_bump(c: Context, to: str | None = None, part: str | None = None) -> None:
    """Write a version to every version file, and change nothing else."""
    from releaser.commands import version as command

    command.version_bump(Path.cwd(), to, part, dry_run=is_dry(c))


@task(name="explain", positional=["text"], help={"text": "a version"})
@reporting_errors
def version_explain(c: Context, text: str | None = None) -> None:  # noqa: ARG001  invoke's signature
    """Print a version's SemVer and PEP 440 forms, its tag and its image tags, or why it is refused."""
    from releaser.commands import version as command

    command.version_explain(Path.cwd(), text)


@task(name="check")
@reporting_errors
def changelog_check(c: Context) -> None:  # noqa: ARG001  invoke's signature
    """Check the changelog's form: sections, order, dates, headings and links."""
    from releaser.commands import changelog as command

    command.changelog_check(Path.cwd())


@task(name="notes", help=_VERSION)
@reporting_errors
def changelog_notes(c: Context, version: str | None = None) -> None:  # noqa: ARG001  invoke's signature
    """Print what a version's release notes hold, word for word."""
    from releaser.commands import changelog as command

    command.changelog_notes(Path.cwd(), version)


@task(name="rotate", help=_VERSION)
@reporting_errors
def changelog_rotate(c: Context, version: str | None = None) -> None:
    """Move [Unreleased] into a section of its own in the changelog, and mend its compare links."""
    from releaser.commands import changelog as command

    command.changelog_rotate(Path.cwd(), version, dry_run=is_dry(c))


def _collection(name: str, *tasks: Any) -> Collection:
    return Collection(name, *tasks)


namespace = Collection(
    release,
    rehearse,
    status,
    rollback,
    yank,
    tag,
    build,
    check,
    publish=_collection("publish", publish_testpypi, publish_pypi),
    version=_collection("version", version_show, version_check, version_bump, version_explain),
    docker=_collection("docker", *IMAGE_TASKS),
    changelog=_collection("changelog", changelog_check, changelog_notes, changelog_rotate),
)
