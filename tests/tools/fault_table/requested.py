"""Requests and pushes, and what can happen to one, as rows."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .row import Row


@dataclass(frozen=True)
class Request:
    """A request: in words, of whom, its method, path and number, and the world before it."""

    words: str
    service: str
    method: str
    path: str
    nth: int
    rung: str

    def at(self, when: str, what: str) -> str:
        """Return a fault in it, as `invoke rehearse --fault` takes it."""
        return f"{self.service}:at={self.method}:{self.path}:{self.nth}:{when}:{what}"


@dataclass(frozen=True)
class Push:
    """A push: in words, and the world before it."""

    words: str
    rung: str


# What can happen to a request that the service has not acted on, and to one that it has. Of the statuses, one of each
# that is told or repeated differently: 502 and 504 are treated as 500 is, and 400 as 422.
BEFORE = (
    *("drop", "half", "empty", "garbage", "slow=0.5"),
    *(f"status={status}" for status in (401, 403, 404, 409, 422, 500, 503)),
    *("limit=429", "limit=403"),
)
AFTER = ("drop", "half", "empty", "garbage", "slow=0.5", "status=500", "status=503")
SIGNALS = {
    "Ctrl-C meanwhile": (signal.SIGINT, 130),
    "SIGTERM meanwhile": (signal.SIGTERM, 143),
    "kill -9 meanwhile": (signal.SIGKILL, -signal.SIGKILL),
}
WORDS = {"before": "not acted on", "after": "acted on"}
# What can happen to a push before and after the remote has stored it.
_PUSHED = {"before": {"refuse": "refused", "drop": "drop"}, "after": {"drop-stored": "drop"}}
_HELD = {"before": ("hold", 0.5), "after": ("hold-stored", 0.5)}
# Longer than it takes to notice that a push is held, and to stop what pushes.
_STOP_SECONDS = 1.5


def row_of(request: Request, when: str, what: str, like: Row) -> Row:
    """Return the row of a fault in a request; what else it says is that of another row."""
    where = f"{request.words} {WORDS[when]}"
    return replace(like, where=where, what=what, rung=request.rung, fault=request.at(when, what))


def stopped(request: Request, when: str, what: str, like: Row) -> Row:
    """Return the row of a signal, of SIGNALS, while a request is under way."""
    number, code = SIGNALS[what]
    row = row_of(request, when, "hang", like)
    return replace(row, what=what, signal=number, codes=(code,))


def written(request: Request, like: Row) -> Iterator[Row]:
    """Yield all that can happen to a request that changes something."""
    yield from (row_of(request, "before", what, like) for what in BEFORE)
    yield from (row_of(request, "after", what, like) for what in AFTER)
    yield from (stopped(request, when, what, like) for when in WORDS for what in SIGNALS)


def pushed(push: Push, like: Row) -> Iterator[Row]:
    """Yield all that can happen to a push."""
    for when, words in WORDS.items():
        like = replace(like, where=f"{push.words} {words}", rung=push.rung)
        for fault, what in _PUSHED[when].items():
            yield replace(like, what=what, fault=f"remote:{fault}")
        fault, seconds = _HELD[when]
        yield replace(like, what="slow", fault=f"remote:{fault}={seconds}")
        for what, (number, code) in SIGNALS.items():
            held = f"remote:{fault}={_STOP_SECONDS}"
            yield replace(like, what=what, fault=held, signal=number, codes=(code,))


def killed(rung: str, step: str, when: str, like: Row) -> Row:
    """Return the row of a kill before or after a step."""
    fault = f"engine:kill-{when}={step}"
    return replace(like, where=f"{when} {step}", what="kill -9", rung=rung, fault=fault, codes=(-signal.SIGKILL,))
