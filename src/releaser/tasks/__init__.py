"""The menu: `from releaser.tasks import namespace` in a project's tasks.py gives it every task.

Nothing heavy is imported here, because `invoke --list` and tab completion pay for it.

Exit codes: 0 done, 1 a step failed, 2 wrong usage or configuration, 3 conflicts (nothing was changed), 4 not confirmed,
5 gave up waiting for an index or a workflow, 6 published, but a check of what users get failed,
7 taken back, but something stays, 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context

from releaser import commands
from releaser.tasks.ci import CI_TASKS, given
from releaser.tasks.docker import IMAGE_TASKS
from releaser.tasks.menu import VERSION, is_dry, task
from releaser.tasks.texts import CHANGELOG_TASKS, VERSION_TASKS

# Invoke keeps Python from caching bytecode, so that no __pycache__ appears next to tasks.py; without a cache the engine
# is compiled at every start. Python's own option (-B, PYTHONDONTWRITEBYTECODE) still decides.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)

_REQUIRE = "fail if this step or phase would be skipped (repeatable): images, e2e ..."
_CHOOSE = "decide a conflict whose message offers it, STEP=CHOICE (repeatable); it is recorded"


@task(
    help={
        **VERSION,
        "dry-run": "check every step, print the plan with the outcomes, and change nothing",
        "yes": "publish without asking",
        "skip": "skip a step or a phase (repeatable): testpypi, pass_e2e, close_milestone ...; it is recorded",
        "require": _REQUIRE,
        "choose": _CHOOSE,
        "title": "the brief description in the release's title (default: the first paragraph of the changelog section)",
    },
    iterable=["skip", "require", "choose"],
)
def release(
    c: Context,
    version: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    skip: Sequence[str] | None = None,
    require: Sequence[str] | None = None,
    choose: Sequence[str] | None = None,
    title: str | None = None,
) -> None:
    """Release a version: build, test, publish to the index and the forge, and verify what users get.

    Rerun the same command to continue where it stopped. Exit codes: 1 a step failed, 2 wrong usage, 3 conflicts
    (nothing was changed), 4 not confirmed, 5 gave up waiting, 6 published, but a check failed, 130 Ctrl-C, 143 SIGTERM.
    """
    dry = dry_run or is_dry(c)
    skip, require, choose = skip or (), require or (), choose or ()
    commands.release.release(
        Path.cwd(), version, dry_run=dry, yes=yes, skip=skip, title=title, require=require, choose=choose
    )


@task(
    help={
        **VERSION,
        "keep": "leave the stand-ins running and print their addresses",
        "fresh": "start over instead of continuing an earlier rehearsal of this commit and version",
        "quick": "skip the project's test and check sessions, to try the process in a short time",
        "skip": "skip a step or a phase (repeatable)",
        "require": _REQUIRE,
        "choose": _CHOOSE,
        "title": "the brief description in the release's title",
        "fault": "a fault to rehearse, WHO:NAME[=VALUE] (repeatable); docs/rehearsal.md lists them",
        "as": "who releases: here (this machine alone, the default), configured (and workflows upload), or ci",
    },
    iterable=["skip", "require", "choose", "fault"],
)
def rehearse(
    version: str | None = None,
    keep: bool = False,
    fresh: bool = False,
    quick: bool = False,
    skip: Sequence[str] | None = None,
    require: Sequence[str] | None = None,
    choose: Sequence[str] | None = None,
    title: str | None = None,
    fault: Sequence[str] | None = None,
    as_: str = "here",
) -> None:
    """Rehearse the release of HEAD against stand-ins on this machine; nothing becomes public, no account is needed.

    It runs the steps of `invoke release` on a scratch clone, with an index, a forge and a git remote on loopback. Rerun
    it to continue with what the stand-ins hold.
    """
    lists = {"skip": skip or (), "require": require or (), "choose": choose or (), "fault": fault or ()}
    how = commands.rehearse.How(keep=keep, fresh=fresh, quick=quick, by=as_)
    commands.rehearse.rehearse(Path.cwd(), version, how, title=title, **lists)


@task(
    help={
        **VERSION,
        "checklist": "print the checklists instead, each box ticked from evidence",
        "tick": 'tick a box of the checklist for people, with what was done: announce="in the forum"; can be repeated',
        "json": "print the checklist as a JSON document, also without --checklist",
    },
    iterable=["tick"],
)
def status(
    version: str | None = None,
    checklist: bool = False,
    tick: Sequence[str] | None = None,
    json: bool = False,
) -> None:
    """Check every step of a release and print the outcomes; change nothing. Exit with 3 if there are conflicts."""
    if checklist or tick or json:
        commands.inspect.checklist(Path.cwd(), version, tick=tick or (), json=json)
    else:
        commands.release.status(Path.cwd(), version)


@task(help=VERSION)
def watch(version: str | None = None) -> None:
    """Follow the workflows that release a version, job by job; Ctrl-C leaves them running.

    Exit codes: 1 a job failed, 3 no run was started, 5 gave up waiting, 130 Ctrl-C, 143 SIGTERM.
    """
    commands.watch.watch(Path.cwd(), version)


_JSON = {"json": "print a JSON document instead of a table"}


@task(help={**VERSION, **_JSON})
def verify(version: str | None = None, json: bool = False) -> None:
    """Look at a published version on index, forge, git remote and registry, install it, and compare all of it.

    It needs a clone and nothing that a release has kept. Exit codes: 1 something is wrong, 5 something did not answer.
    """
    commands.inspect.verify(Path.cwd(), version, json=json)


@task(help={"version": "the version to be released (default: the next patch version)", **_JSON})
def doctor(version: str | None = None, json: bool = False) -> None:
    """Find what would go wrong: releases that failed, tools, credentials, rules, workflows, network; change nothing.

    Exit codes: 1 something would go wrong, 5 something did not answer.
    """
    commands.inspect.doctor(Path.cwd(), version, json=json)


@task()
def setup() -> None:
    """Print what to set up once by hand, with exact values: publishers, environments, rules, Actions, tokens."""
    commands.inspect.setup(Path.cwd())


@task(help={**VERSION, "out": "where to put the two files (default: where the release's state is kept)"})
def report(version: str | None = None, out: str | None = None) -> None:
    """Write the record of a release as an HTML page and as JSON, which `scripts/prove.py` checks anywhere.

    It asks the services once more, and reads the journal and the built files of the release.
    """
    commands.report.report(Path.cwd(), version, Path(out) if out else None)


@task(
    help={
        **VERSION,
        "yes": "take it back without asking",
        "revert": "also push a commit that reverts the version bump, and its changelog section",
        "absent": "you have seen on PyPI's manage page that it has no file of this version; it is recorded",
    }
)
def rollback(
    c: Context, version: str | None = None, yes: bool = False, revert: bool = False, absent: bool = False
) -> None:
    """Take a release back: print what can be taken back and what stays, ask, do it. Exit with 7 if something stays."""
    commands.rollback.rollback(Path.cwd(), version, dry_run=is_dry(c), yes=yes, revert=revert, absent=absent)


@task(help={**VERSION, "reason": "why, in words for users", "undo": "wait until the release is un-yanked instead"})
def yank(
    version: str | None = None,
    reason: str | None = None,
    undo: bool = False,
) -> None:
    """Yank a release: print the page to do it on and the reason to paste, then wait until the index shows it."""
    commands.release.yank(Path.cwd(), version, reason, undo=undo)


@task(help={**VERSION, "yes": "push without asking", "choose": _CHOOSE}, iterable=["choose"])
def tag(c: Context, version: str | None = None, yes: bool = False, choose: Sequence[str] | None = None) -> None:
    """Create the annotated tag at the release commit, and push branch and tag together."""
    commands.release.tag(Path.cwd(), version, yes=yes, dry_run=is_dry(c), choose=choose or ())


@task(help={"out": "where to put the files (default: dist)"})
def build(out: str = "dist") -> None:
    """Build sdist and wheel from the checkout as it is, check them, and write SBOM and checksums."""
    commands.build.build(Path.cwd(), Path(out))


@task()
def check() -> None:
    """Run every session that a release must pass, and the configured checks, on the checkout as it is."""
    commands.build.check(Path.cwd())


_PUBLISH_HELP = {
    **VERSION,
    "dist": "upload the files in this directory, which has a SHA256SUMS, instead of those that `invoke release` built",
    "from-release": "upload the files attached to the published release, as the publishing workflow does",
}
_REBUILT = {"rebuilt": "what another job built from the tag, its output `manifest` (default: REBUILT)"}


@task(name="testpypi", help=_PUBLISH_HELP)
def publish_testpypi(
    version: str | None = None,
    dist: str | None = None,
    from_release: bool = False,
) -> None:
    """Upload the built files to TestPyPI, wait until it serves them, and install from there."""
    commands.build.publish(Path.cwd(), version, "testpypi", dist=dist, from_release=from_release)


@task(name="pypi", help={**_PUBLISH_HELP, **_REBUILT})
def publish_pypi(
    version: str | None = None,
    dist: str | None = None,
    from_release: bool = False,
    rebuilt: str | None = None,
) -> None:
    """Upload the built files to PyPI (from a workflow: by trusted publishing), and wait until it serves them."""
    manifest = rebuilt or given("REBUILT")
    commands.build.publish(Path.cwd(), version, "pypi", dist=dist, from_release=from_release, rebuilt=manifest)


namespace = Collection(
    release,
    rehearse,
    status,
    watch,
    verify,
    doctor,
    setup,
    report,
    rollback,
    yank,
    tag,
    build,
    check,
    publish=Collection("publish", publish_testpypi, publish_pypi),
    version=Collection("version", *VERSION_TASKS),
    ci=Collection("ci", *CI_TASKS),
    docker=Collection("docker", *IMAGE_TASKS),
    changelog=Collection("changelog", *CHANGELOG_TASKS),
)
