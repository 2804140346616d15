"""The rows, as data: where something goes wrong, what, and how a release may end that meets it."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from .row import Row
from .world_rows import world_rows


@dataclass(frozen=True)
class Request:
    """A request of a release: in words, of whom, its method, path and number, and the world before it."""

    words: str
    service: str
    method: str
    path: str
    nth: int
    rung: str


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

# What can happen to a request that the service has not acted on, and to one that it has. Of the statuses, one of each
# that is told or repeated differently: 502 and 504 are treated as 500 is, and 400 as 422.
BEFORE = (
    *("drop", "half", "empty", "garbage", "slow=0.5"),
    *(f"status={status}" for status in (401, 403, 404, 409, 422, 500, 503)),
    *("limit=429", "limit=403"),
)
AFTER = ("drop", "half", "empty", "garbage", "slow=0.5", "status=500", "status=503")
# A request that only reads can be repeated, by one rule for all.
READ = ("drop", "half", "garbage", "stale", "status=403", "status=404", "status=503", "limit=429")
_SIGNALS = {"Ctrl-C meanwhile": (signal.SIGINT, 130), "kill -9 meanwhile": (signal.SIGKILL, -signal.SIGKILL)}
_WORDS = {
    "before": "not acted on",
    "after": "acted on",
}

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
    ("a file of pypi", "before", "half"),
    ("releases later", "before", "stale"),
}


def _with(request: Request, when: str, what: str) -> Row:
    return Row(
        f"{request.words} {_WORDS[when]}",
        what,
        request.rung,
        _at(request, when, what),
        quick=(request.words, when, what) in _QUICK_FAULTS,
    )


def _stopped(request: Request, when: str, what: str) -> Row:
    number, code = _SIGNALS[what]
    where = f"{request.words} {_WORDS[when]}"
    quick = number == signal.SIGKILL and request.words in ("draft", "pypi's second upload") and when == "after"
    return Row(where, what, request.rung, _at(request, when, "hang"), number, codes=(code,), quick=quick)


def _at(request: Request, when: str, what: str) -> str:
    return f"{request.service}:at={request.method}:{request.path}:{request.nth}:{when}:{what}"


def _killed(rung: str, step: str, when: str) -> Row:
    quick = (step, when) in {("push_tag", "after"), ("fast_forward", "before")}
    return Row(f"{when} {step}", "kill -9", rung, f"engine:kill-{when}={step}", codes=(-signal.SIGKILL,), quick=quick)


def rows() -> list[Row]:
    """Return the whole table."""
    return [
        *(_with(one, "before", what) for one in WRITES for what in BEFORE),
        *(_with(one, "after", what) for one in WRITES for what in AFTER),
        *(_stopped(one, when, what) for one in WRITES for when in _WORDS for what in _SIGNALS),
        *(_with(one, "before", what) for one in READS for what in READ),
        *(_killed(rung, step, "after") for rung, steps in (*STEPS.items(), *CHECKS.items()) for step in steps),
        *(_killed(rung, step, "before") for rung, steps in STEPS.items() for step in steps),
        *world_rows(),
    ]
