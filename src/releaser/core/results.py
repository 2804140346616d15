"""What the outcomes of a run's steps come to: an error that names them all, a warning, or nothing."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from releaser.core.step import Conflict, Failed, Outcome, Step, Warned, World, said
from releaser.errors import (
    RERUN,
    ConflictError,
    PublishedError,
    ReleaserError,
    StepError,
    ToleratedError,
    WaitTimeoutError,
)

OUT_OF_OUR_HANDS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}
"""What the machine refuses; any other error of the system is a bug of ours."""


@dataclass(frozen=True)
class Result:
    """A step's outcome, and the wall time that it took."""

    step: str
    title: str
    phase: str
    outcome: Outcome
    seconds: float = 0.0


def refusals(results: Iterable[Result], aftermath: str = "") -> ReleaserError | None:
    """Return all conflicts and failures among `results` as one error; None if there are none.

    Args:
        results: The results to look through.
        aftermath: What did not happen because of them, for the error's first line.
    """
    bad = [result for result in results if is_bad(result)]
    if not bad:
        return None
    failures = [result.outcome.error for result in bad if isinstance(result.outcome, Failed)]
    steps_by_text: dict[str, list[str]] = {}
    for result in bad:
        steps_by_text.setdefault(_described(result.outcome), []).append(result.step)
    if len(steps_by_text) == 1 and failures:
        steps = ", ".join(result.step for result in bad)
        return failures[0].reworded(f"{steps}: {failures[0].message}", failures[0].remedy)
    found = "\n".join(f"- {', '.join(steps)}: {text}" for text, steps in steps_by_text.items())
    if len(failures) < len(bad):
        kind_of = "problem" if failures else "conflict"
        number = f"1 {kind_of}" if len(steps_by_text) == 1 else f"{len(steps_by_text)} {kind_of}s"
        return ConflictError(f"Found {number}{aftermath}:\n{found}", RERUN)
    # The nearest kind that all of them are: its exit code says no more than what is true of each.
    kind: type[ReleaserError] = next(
        one for one in type(failures[0]).__mro__ if all(isinstance(error, one) for error in failures)
    )
    return kind(f"{len(bad)} steps failed{aftermath}:\n{found}", RERUN)


def is_bad(result: Result) -> bool:
    """Return whether a step's outcome stops the run."""
    return isinstance(result.outcome, Conflict | Failed)


def as_warning(step: Step[World], outcome: Outcome) -> Outcome:
    """Return what a run can do without as a warning, and any other outcome as it is."""
    if isinstance(outcome, Failed) and (not step.essential or isinstance(outcome.error, ToleratedError)):
        return Warned(outcome.error.message, outcome.error.remedy)
    if isinstance(outcome, Conflict) and not step.essential:
        return Warned(outcome.what, outcome.remedy)
    return outcome


def unwritable(error: OSError) -> StepError:
    """Return the error for what the machine's disk or its permissions refused."""
    what = f"{error.filename} cannot be changed" if error.filename else "a file cannot be changed"
    remedy = "Free some space or change its permissions, then rerun the command."
    return StepError(f"{what}: {error.strerror or error}", remedy)


def despite(achieved: str, refused: ReleaserError, skippable: Sequence[str]) -> ReleaserError:
    """Return a failure that says first what holds all the same, and how to end without the steps that failed."""
    message, remedy = f"{achieved}: {refused.message}", refused.remedy
    if skippable:
        options = " ".join(f"--skip {name}" for name in skippable)
        remedy += f" To end without {'it' if len(skippable) == 1 else 'them'}, add `{options}`, which is recorded."
    if isinstance(refused, WaitTimeoutError):
        return refused.reworded(message, remedy)
    return PublishedError(message, remedy)


def _described(outcome: Outcome) -> str:
    what, remedy = said(outcome), ""
    if isinstance(outcome, Failed):
        remedy = outcome.error.remedy
    elif isinstance(outcome, Conflict):
        what, remedy = outcome.what, outcome.remedy
    return what + (f"\n  {remedy}" if remedy else "")
