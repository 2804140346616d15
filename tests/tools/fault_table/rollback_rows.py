"""What can happen to a rollback, as rows: the same rollback again ends as one that nothing happened to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .requested import Push, Request, killed, pushed, row_of, written
from .row import ANY_BACK, REFUSED, Row

_BACK = Row("", "", "", "", codes=ANY_BACK, command="rollback")
_REVERTING = replace(_BACK, words=("--revert",))
# The run that was cancelled proves nothing of what it sent: a person has looked at the index.
_LOOKED = replace(_BACK, words=("--absent",))

# The forge numbers what it makes: the release of 0.2.0 is 2, its assets follow, and the one that is made last is 7.
WRITES = (
    (Request("draft's deletion", "forge", "DELETE", "/releases/", 1, "drafted"), _BACK),
    (Request("published release's deletion", "forge", "DELETE", "/releases/", 1, "published"), _BACK),
    (Request("immutable release's deletion", "forge", "DELETE", "/releases/", 1, "immutable"), _BACK),
    (Request("warning", "forge", "PATCH", "/releases/2$", 1, "succeeding"), _BACK),
    (Request("latest release led back", "forge", "PATCH", "/releases/7$", 1, "succeeding"), _BACK),
    (Request("workflow's cancellation", "forge", "POST", "/cancel$", 1, "uploading"), _LOOKED),
)
PUSHES = (
    (Push("tag's deletion", "drafted"), _BACK),
    (Push("revert of the bump", "untagged"), _REVERTING),
)
READS = (
    Request("rollback's look for the release", "forge", "GET", "/releases$", 1, "published"),
    Request("rollback's look at pypi's simple page", "pypi", "GET", "/simple/tiny-thing/", 1, "published"),
    Request("rollback's look at pypi's page of the release", "pypi", "GET", "/pypi/", 1, "served"),
    Request("rollback's look at a file's own address", "pypi", "HEAD", "/packages/", 1, "served"),
)
_READ = ("drop", "garbage", "status=403", "status=404", "status=503", "limit=429")

# Each step that does something, with the world before it, and the rollback that does it.
STEPS = (
    *(("drafted", step, _REVERTING) for step in ("delete_tag", "delete_release", "revert_bump", "discard_state")),
    *(("published", step, _BACK) for step in ("delete_tag", "delete_release", "discard_state")),
    *(("immutable", step, _BACK) for step in ("delete_immutable", "delete_tag", "discard_state")),
    *(("succeeding", step, _BACK) for step in ("warn_on_release", "latest_back")),
    *(("uploading", step, _LOOKED) for step in ("stop_workflow", "delete_tag", "delete_release")),
    *((rung, "discard_state", _BACK) for rung in ("built", "tested", "tried")),
)
# Steps that only look, which have no beginning.
CHECKS = (("drafted", "know_pypi", _BACK), ("drafted", "know_testpypi", _BACK), ("served", "delete_tag", _BACK))

_PART_IN_CI = {
    ("draft's deletion acted on", "drop"),
    ("warning acted on", "status=500"),
    ("tag's deletion not acted on", "refused"),
    ("tag's deletion acted on", "SIGTERM meanwhile"),
    ("rollback (drafted) before discard_state", "kill -9"),
    ("rollback at pypi (served)", "pypi shows an hour late what it took"),
}


def rollback_rows() -> Iterator[Row]:
    """Yield these rows."""
    seen: set[tuple[str, str]] = set()
    for row in _all():
        key = (row.where, row.what)
        quick = key in _PART_IN_CI and key not in seen
        seen.add(key)
        yield replace(row, quick=quick)


def _all() -> Iterator[Row]:
    for request, like in WRITES:
        yield from written(request, like)
    for push, like in PUSHES:
        yield from pushed(push, like)
    for request in READS:
        yield from (row_of(request, "before", what, _BACK) for what in _READ)
    for when in ("before", "after"):
        for rung, step, like in STEPS:
            yield _of(killed(rung, step, when, like))
    for rung, step, like in CHECKS:
        yield _of(killed(rung, step, "after", like))
    yield from _late()
    yield from _machine()
    yield from _others()


def _of(row: Row) -> Row:
    return replace(row, where=f"rollback ({row.rung}) {row.where}")


def _late() -> Iterator[Row]:
    """Yield rollbacks during an index's lag: what does not show is not taken for what is not there."""
    for rung in ("served", "succeeding"):
        where, what = f"rollback at pypi ({rung})", "pypi shows an hour late what it took"
        yield replace(_BACK, where=where, what=what, rung=rung, fault="pypi:lag=3600", codes=(3, 7))
    for rung in ("drafted", "published"):
        where, what = f"rollback at testpypi ({rung})", "testpypi shows an hour late what it took"
        yield replace(_BACK, where=where, what=what, rung=rung, fault="testpypi:lag=3600", codes=(3, 7))


def _machine() -> Iterator[Row]:
    healed = {
        "torn-journal": "last line of the journal torn",
        "altered-journal": "journal with a changed line",
        "torn-journal-head": "half of the journal's head",
        "torn-receipts": "receipts torn",
        "altered-wheel": "wheel changed",
        "torn-sums": "half of SHA256SUMS",
        "torn-bundle": "half of the commit's bundle",
        "lost-worktree": "working tree deleted",
    }
    for fault, what in healed.items():
        where = "rollback of files (published)"
        yield replace(
            _BACK, where=where, what=what, rung="published", fault=f"world:{fault}", codes=(7,), leaves=("kept",)
        )
    where = "rollback (published)"
    yield replace(
        _BACK,
        where=where,
        what="another run has the lock",
        rung="published",
        fault="world:lock-held",
        codes=REFUSED,
        refused=True,
    )
    for fault in ("disk-full", "no-permission", "no-processes"):
        for step in ("delete_tag", "delete_release", "discard_state"):
            where, what = f"rollback before {step}", fault.replace("-", " ")
            codes = (1, 3, 7)
            yield replace(
                _BACK, where=where, what=what, rung="published", fault=f"world:{fault}=before:{step}", codes=codes
            )


def _others() -> Iterator[Row]:
    pushes = "a colleague pushes"
    left = ("branch", "history", "refs")
    for step in ("delete_tag", "revert_bump"):
        where = f"rollback before {step}"
        fault = f"world:colleague-pushes=before:{step}"
        yield replace(_REVERTING, where=where, what=pushes, rung="drafted", fault=fault, codes=(1, 3, 7), leaves=left)
    what = "the tag is at another commit"
    yield replace(
        _BACK,
        where="rollback (published)",
        what=what,
        rung="published",
        fault="world:tag-elsewhere",
        codes=REFUSED,
        refused=True,
        again="refused",
    )
    for rung, fault, what in (
        ("published", "tag-deleted", "the tag is deleted"),
        ("drafted", "draft-deleted", "the draft is deleted"),
        ("drafted", "draft-published", "the draft is published by hand"),
        ("drafted", "edited-notes", "the draft's notes are edited"),
        ("drafted", "another-asset", "another asset is in the draft"),
        ("published", "milestone-closed", "the milestone is closed by hand"),
    ):
        leaves = ("milestones",) if fault == "milestone-closed" else ()
        where = f"rollback ({rung})"
        yield replace(_BACK, where=where, what=what, rung=rung, fault=f"world:{fault}", codes=(7,), leaves=leaves)
