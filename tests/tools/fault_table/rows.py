"""The rows, as data: where something goes wrong, what, and how a release may end that meets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .image_rows import image_rows
from .requested import WORDS, Push, Request, killed, pushed, row_of, written
from .rollback_rows import rollback_rows
from .row import Row
from .world_rows import world_rows

WRITES = (
    Request("testpypi's first upload", "testpypi", "POST", "/legacy/", 1, "tested"),
    Request("testpypi's second upload", "testpypi", "POST", "/legacy/", 2, "tested"),
    Request("draft", "forge", "POST", "/releases$", 1, "pushed"),
    Request("first asset", "forge", "POST", "/assets", 1, "pushed"),
    Request("second asset", "forge", "POST", "/assets", 2, "pushed"),
    Request("third asset", "forge", "POST", "/assets", 3, "pushed"),
    Request("fourth asset", "forge", "POST", "/assets", 4, "pushed"),
    Request("publishing", "forge", "PATCH", "/releases/", 1, "pushed"),
    Request("pypi's first upload", "pypi", "POST", "/legacy/", 1, "pushed"),
    Request("pypi's second upload", "pypi", "POST", "/legacy/", 2, "pushed"),
    Request("milestone", "forge", "PATCH", "/milestones/", 1, "pushed"),
)

READS = (
    Request("pypi's simple page", "pypi", "GET", "/simple/tiny-thing/", 1, "pushed"),
    Request("pypi's simple page later", "pypi", "GET", "/simple/tiny-thing/", 3, "pushed"),
    Request("pypi's page of the release", "pypi", "GET", "/pypi/", 1, "pushed"),
    Request("a file of pypi", "pypi", "GET", "/packages/", 1, "pushed"),
    Request("testpypi's simple page", "testpypi", "GET", "/simple/tiny-thing/", 1, "tested"),
    Request("testpypi's simple page later", "testpypi", "GET", "/simple/tiny-thing/", 3, "tested"),
    Request("releases", "forge", "GET", "/releases$", 1, "pushed"),
    Request("releases later", "forge", "GET", "/releases$", 4, "pushed"),
    Request("assets", "forge", "GET", "/assets$", 1, "pushed"),
    Request("an asset's bytes", "forge", "GET", "/storage/", 1, "pushed"),
    Request("the latest release", "forge", "GET", "/releases/latest", 1, "pushed"),
    Request("milestones", "forge", "GET", "/milestones$", 1, "pushed"),
)

# Steps that only look, or have nothing to do for this project: they have no beginning at which a run could be killed.
CHECKS = {"begun": ("find_tools", "log_in_remote", "have_passed_tests"), "built": ("build_images", "try_push_hook")}

# Each step that does something in a release of the tiny project, by the world before it.
STEPS = {
    "checked": ("open_worktree", "bump_versions", "rotate_changelog", "commit_release", "build_dists", "inspect_dists"),
    "built": ("try_wheel", "try_with_uv", "ask_again"),
    "tested": ("upload_testpypi",),
    "tried": ("create_tag", "push_tag"),
    "pushed": ("draft_release", "upload_assets", "publish_release", "upload_pypi"),
    "published": (
        *("verify_index_files", "verify_release", "upgrade_from_pypi", "close_milestone"),
        *("remove_worktree", "write_announcement", "fast_forward"),
    ),
}

# A request that only reads can be repeated, by one rule for all.
READ = ("drop", "half", "garbage", "stale", "status=403", "status=404", "status=503", "limit=429")
# The part that runs in CI: each write once before and once after, and each kind of fault somewhere.
_QUICK_FAULTS = {
    ("testpypi's second upload", "after", "drop"),
    ("draft", "after", "drop"),
    ("draft", "before", "garbage"),
    ("second asset", "after", "half"),
    ("second asset", "before", "drop"),
    ("third asset", "before", "limit=429"),
    ("publishing", "after", "status=500"),
    ("publishing", "before", "empty"),
    ("pypi's first upload", "after", "drop"),
    ("pypi's second upload", "before", "status=503"),
    ("pypi's second upload", "after", "garbage"),
    ("milestone", "after", "drop"),
}
_QUICK_READS = {("a file of pypi not acted on", "half"), ("releases later not acted on", "stale")}


_QUICK_STOPS = {
    ("draft", "after", "kill -9 meanwhile"),
    ("pypi's second upload", "after", "kill -9 meanwhile"),
    ("second asset", "after", "SIGTERM meanwhile"),
}
_QUICK_KILLS = {("push_tag", "after"), ("fast_forward", "before")}
# What counts of an index is how late it shows a file, against the 4 s for which releases of the table wait.
_LATE = (
    ("testpypi", "tested", 1, "shows a second late what it took", (0,)),
    ("testpypi", "tested", 60, "shows a minute late what it took", (5,)),
    ("pypi", "pushed", 1, "shows a second late what it took", (0,)),
    ("pypi", "pushed", 60, "shows a minute late what it took", (5, 6)),
    ("pypi", "served", 60, "shows a minute late what it took", (5, 6)),
)
_RELEASE = Row("", "", "", "")
_PUSH = Push("push of branch and tag", "tried")


def rows() -> list[Row]:
    """Return the whole table."""
    return [
        *_written(),
        *pushed(_PUSH, _RELEASE),
        *_read(),
        *(_killed(rung, step, "after") for rung, steps in (*STEPS.items(), *CHECKS.items()) for step in steps),
        *(_killed(rung, step, "before") for rung, steps in STEPS.items() for step in steps),
        *world_rows(),
        *(
            Row(
                f"{index} ({rung})",
                what,
                rung,
                f"{index}:lag={seconds}",
                codes=codes,
                quick=(index, seconds) == ("pypi", 1),
            )
            for index, rung, seconds, what, codes in _LATE
        ),
        *rollback_rows(),
        *image_rows(),
    ]


def _written() -> Iterator[Row]:
    quick = {(f"{words} {WORDS[when]}", what) for words, when, what in (*_QUICK_FAULTS, *_QUICK_STOPS)}
    for request in WRITES:
        for row in written(request, _RELEASE):
            yield replace(row, quick=(row.where, row.what) in quick)


def _read() -> Iterator[Row]:
    for request in READS:
        for row in (row_of(request, "before", what, _RELEASE) for what in READ):
            yield replace(row, quick=(row.where, row.what) in _QUICK_READS)


def _killed(rung: str, step: str, when: str) -> Row:
    return replace(killed(rung, step, when, _RELEASE), quick=(step, when) in _QUICK_KILLS)
