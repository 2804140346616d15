"""The rows, as data: where something goes wrong, what, and how a release may end that meets it."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from .child import Kill

# How a run may end that meets a fault: well, with a step's error, refused, or by waiting in vain.
ANY = (0, 1, 3, 5, 6)


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        where: What is struck, in words.
        what: By what.
        rung: The world in which it begins.
        service: Whose request is struck.
        request: The fault in `RequestFault`'s form.
        signal: What the run is sent at the strike; 0: nothing.
        kill: The boundary of a step at which the run is killed, instead of a request's fault.
        codes: How the run may end.
        refused: Whether nothing public may change before the second run.
        quick: Whether it belongs to the part that runs in CI.
    """

    where: str
    what: str
    rung: str
    service: str = ""
    request: str = ""
    signal: int = 0
    kill: Kill | None = None
    codes: tuple[int, ...] = ANY
    refused: bool = False
    quick: bool = False

    @property
    def name(self) -> str:
        """Its name, unique in the table."""
        return f"{self.where}, {self.what}"


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

# Each step that does something or has something to find in a release of the tiny project, by the world before it.
STEPS = {
    "begun": ("find_tools", "log_in_remote", "have_passed_tests"),
    "checked": ("open_worktree", "bump_versions", "rotate_changelog", "commit_release", "build_dists", "inspect_dists"),
    "built": ("build_images", "try_push_hook", "try_wheel", "try_with_uv", "ask_again"),
    "tested": ("upload_testpypi",),
    "tried": ("create_tag", "push_tag"),
    "pushed": ("draft_release", "upload_assets", "publish_release", "upload_pypi"),
    "published": (
        *("verify_index_files", "verify_release", "upgrade_from_pypi", "close_milestone"),
        *("remove_worktree", "write_announcement", "fast_forward"),
    ),
}

# What can happen to a request that the service has not acted on, and to one that it has.
BEFORE = (
    *("drop", "half", "empty", "garbage", "slow=0.5"),
    *(f"status={status}" for status in (400, 401, 403, 404, 409, 422, 500, 502, 503, 504)),
    *("limit=429", "limit=403"),
)
AFTER = ("drop", "half", "empty", "garbage", "slow=0.5", "status=500", "status=502", "status=503", "status=504")
READ = ("drop", "half", "empty", "garbage", "stale", "slow=0.5", "limit=429", "limit=403")
READ += tuple(f"status={status}" for status in (401, 403, 404, 500, 502, 503))
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
    ("publishing", "after", "status=502"),
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
        request.service,
        f"{request.method}:{request.path}:{request.nth}:{when}:{what}",
        quick=(request.words, when, what) in _QUICK_FAULTS,
    )


def _stopped(request: Request, when: str, what: str) -> Row:
    number, code = _SIGNALS[what]
    text = f"{request.method}:{request.path}:{request.nth}:{when}:hang"
    where = f"{request.words} {_WORDS[when]}"
    quick = number == signal.SIGKILL and request.words in ("draft", "pypi's second upload") and when == "after"
    return Row(where, what, request.rung, request.service, text, number, codes=(code,), quick=quick)


def _killed(rung: str, step: str, when: str) -> Row:
    kill, quick = Kill(when, step), (step, when) in {("push_tag", "after"), ("fast_forward", "before")}
    return Row(f"{when} {step}", "kill -9", rung, kill=kill, codes=(-signal.SIGKILL,), quick=quick)


def rows() -> list[Row]:
    """Return the whole table."""
    return [
        *(_with(one, "before", what) for one in WRITES for what in BEFORE),
        *(_with(one, "after", what) for one in WRITES for what in AFTER),
        *(_stopped(one, when, what) for one in WRITES for when in _WORDS for what in _SIGNALS),
        *(_with(one, "before", what) for one in READS for what in READ),
        *(_killed(rung, step, when) for rung, steps in STEPS.items() for step in steps for when in ("before", "after")),
    ]
