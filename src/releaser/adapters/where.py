"""What to do next, in words that fit where the program runs: at a terminal, or in a job where no one can type.

Messages are written for a terminal. `told_here` is where each of them leaves the program, so that none tells a job's
reader to rerun a command or to add an option; a step whose way on is another one in a job says so by `where`.
"""

from __future__ import annotations

import os
import re

CHOICES = ("upload_testpypi", "draft_release", "upload_assets")
"""The steps whose choices a job of the workflow that releases can be told, when the workflow is started."""

_FIX_AND_RERUN = re.compile(
    r"\b(Fix [^.`]*?),? (?:and|then) rerun the command\.( Completed (?:build )?steps are [^.]*\.)?"
)
_RERUN = re.compile(r"\b([Rr])erun the command\b")
_CHOOSE = re.compile(rf"`--choose ((?:{'|'.join(CHOICES)})=\w+)`")
_INVOKE = re.compile(r"\b([Rr]un `invoke [^`]+`)(?! in a checkout)")
_OPTION = re.compile(r"`--(?:skip|choose|require|title)\b")
_NO_OPTIONS = "A job takes no options: those are for `invoke release` in a checkout."


def in_job() -> bool:
    """Return whether this runs in a job of GitHub Actions."""
    return bool(os.environ.get("GITHUB_ACTIONS"))


def where(*, terminal: str, job: str) -> str:
    """Return the words for where this runs."""
    return job if in_job() else terminal


def told_here(text: str) -> str:
    """Return a message for where this runs; it may have been told before."""
    return for_job(text) if in_job() else text


def for_job(text: str) -> str:
    """Return what a message for a terminal means in a job."""
    text = _FIX_AND_RERUN.sub(
        r"\1. Then re-run the failed jobs; if the fix is a commit, start the workflow again.", text
    )
    text = _RERUN.sub(lambda found: f"{'Re' if found[1] == 'R' else 're'}-run the failed jobs", text)
    text = _CHOOSE.sub(r"`\1` as the input `choose` of a new run", text)
    text = _INVOKE.sub(r"\1 in a checkout", text)
    return f"{text} {_NO_OPTIONS}" if _OPTION.search(text) and _NO_OPTIONS not in text else text
