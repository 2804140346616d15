"""Runs a plan: asks the world about every step, then makes what is missing true, branch beside branch.

The runner knows nothing of releases. Who wants to time, log, show or disturb a run observes it.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from releaser.core.activity import Activity, bound
from releaser.core.step import (
    CannotUndo,
    Conflict,
    Done,
    Failed,
    NothingToUndo,
    Outcome,
    Phase,
    Plan,
    Skipped,
    Step,
    Todo,
    UndoOutcome,
    World,
    said,
)
from releaser.errors import ConflictError, InterruptedRunError, ReleaserError, StepError

_CHECKS_AT_ONCE = 8
_Result = TypeVar("_Result")


class Observer(Protocol):
    """Is told what happens, from whichever thread it happens in."""

    def phase(self, name: str, title: str) -> None:
        """A phase begins."""

    def started(self, step: str, title: str) -> None:
        """A step's fact is about to be made true."""

    def progress(self, step: str, text: str) -> None:
        """A running step says how far it is."""

    def finished(self, step: str, title: str, outcome: Outcome, seconds: float) -> None:
        """A step is over, or needed nothing; `seconds` of wall time went into it."""


@dataclass(frozen=True)
class Result:
    """What became of one step, and the wall time that went into it."""

    step: str
    title: str
    phase: str
    outcome: Outcome
    seconds: float = 0.0


@dataclass
class Runner(Generic[World]):
    """One plan, one world, and those who watch.

    Attributes:
        skip: Reasons by step name.
        require: By step name, what says that the step may not be left out.
        cancelled: Set it to stop: running programs are ended, waits return, no further step begins.
    """

    plan: Plan[World]
    world: World
    observers: Sequence[Observer] = ()
    skip: Mapping[str, str] = field(default_factory=dict)
    require: Mapping[str, str] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)
    results: dict[str, Result] = field(default_factory=dict, init=False)
    _changed: bool = field(default=False, init=False)

    def survey(self, phases: Iterable[Phase[World]] | None = None) -> list[Result]:
        """Asks the world about every step at once, in the order of the plan. Changes nothing."""
        asked = [(phase, step) for phase in (self.plan if phases is None else phases) for step in phase.steps]
        with ThreadPoolExecutor(_CHECKS_AT_ONCE, "check") as pool:
            futures = [self._submit(pool, self._check, step) for _, step in asked]
            outcomes = self._gather(futures)
        return [
            Result(step.name, step.title, phase.name, outcome)
            for (phase, step), outcome in zip(asked, outcomes, strict=True)
        ]

    def run(self, confirm: Callable[[str], None]) -> list[Result]:
        """Carries the plan out.

        Args:
            confirm: Called with a phase's question before that phase; returns for yes and raises for no.

        Raises:
            ConflictError: The world contradicts the plan; all conflicts are named, and nothing was changed since the
                last question.
            StepError: One or more steps failed.
            InterruptedRunError: `cancelled` was set.
        """
        self._take(self.survey(), "; nothing was touched")
        for number, phase in enumerate(self.plan):
            if phase.ask and self._changed:
                self._take(self.survey(self.plan[number:]), "; nothing left this machine")
            if phase.ask and any(isinstance(self.results[step.name].outcome, Todo) for step in self._steps(number)):
                confirm(phase.ask)
            self._tell("phase", phase.name, phase.title)
            with ThreadPoolExecutor(max(1, len(phase.branches)), phase.name) as pool:
                self._gather([self._submit(pool, self._run_branch, phase, branch) for branch in phase.branches])
            self._raise_failures(phase)
        return [self.results[step.name] for step in self._steps(0)]

    def undo(self) -> list[tuple[Step[World], UndoOutcome]]:
        """Takes steps back in reverse order, down to the first that cannot be taken back."""
        undone: list[tuple[Step[World], UndoOutcome]] = []
        for step in reversed(list(self._steps(0))):
            with bound(Activity(cancelled=self.cancelled)):
                outcome = step.undo(self.world)
            if not isinstance(outcome, NothingToUndo):
                undone.append((step, outcome))
            if isinstance(outcome, CannotUndo):
                break
        return undone

    # --- one step -------------------------------------------------------------------------------------------------

    def _check(self, step: Step[World]) -> Outcome:
        if self.cancelled.is_set():
            raise InterruptedRunError("stopped before the next check")
        if reason := self.skip.get(step.name):
            return self._allowed(step, Skipped(reason))
        with bound(Activity(cancelled=self.cancelled)):
            try:
                return self._allowed(step, step.check(self.world))
            except InterruptedRunError:
                raise
            except ReleaserError as error:
                return Failed(error)

    def _allowed(self, step: Step[World], outcome: Outcome) -> Outcome:
        """The outcome, unless it is a skip of what may not be skipped."""
        demand = self.require.get(step.name)
        if demand is None or not isinstance(outcome, Skipped):
            return outcome
        return Failed(
            StepError(f"{demand} is not met: {outcome.reason}.", f"Provide what it lacks, or run without {demand}.")
        )

    def _run_branch(self, phase: Phase[World], branch: tuple[Step[World], ...]) -> None:
        for step in branch:
            if self.cancelled.is_set():
                raise InterruptedRunError("stopped before the next step")
            begun = time.monotonic()
            known = self.results[step.name].outcome
            outcome = known if isinstance(known, Done) and not self._changed else self._check(step)
            if isinstance(outcome, Todo):
                self._changed = True
                outcome = self._make_true(step)
            self._keep(Result(step.name, step.title, phase.name, outcome, time.monotonic() - begun))
            if not isinstance(outcome, Done | Skipped):
                return

    def _make_true(self, step: Step[World]) -> Outcome:
        self._tell("started", step.name, step.title)
        activity = Activity(lambda text: self._tell("progress", step.name, text), self.cancelled)
        with bound(activity):
            try:
                step.run(self.world)
                outcome = self._allowed(step, step.verify(self.world))
            except InterruptedRunError:
                raise
            except ReleaserError as error:
                return Failed(error)
        if isinstance(outcome, Todo):
            return Failed(
                StepError(f"{step.title}: it ran, but the world still says: {outcome.what}.", "Run it again.")
            )
        return outcome

    # --- all of them ----------------------------------------------------------------------------------------------

    def _steps(self, from_phase: int) -> Iterable[Step[World]]:
        return (step for phase in self.plan[from_phase:] for step in phase.steps)

    def _take(self, survey: list[Result], aftermath: str) -> None:
        """Goes on with what the world said, unless it contradicts the plan."""
        for result in survey:
            self.results[result.step] = result
        if refused := refusals(survey, aftermath):
            raise refused

    def _keep(self, result: Result) -> None:
        self.results[result.step] = result
        self._tell("finished", result.step, result.title, result.outcome, result.seconds)

    def _raise_failures(self, phase: Phase[World]) -> None:
        if refused := refusals(self.results[step.name] for step in phase.steps):
            raise refused

    def _tell(self, event: str, *facts: Any) -> None:
        for observer in self.observers:
            getattr(observer, event)(*facts)

    def _submit(self, pool: ThreadPoolExecutor, work: Callable[..., _Result], *arguments: Any) -> Future[_Result]:
        return pool.submit(contextvars.copy_context().run, work, *arguments)

    def _gather(self, futures: list[Future[_Result]]) -> list[_Result]:
        """Waits for all, staying open to signals; a stop or a bug of ours in one stops the others."""
        pending = set(futures)
        try:
            while pending:
                done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
                if any(future.exception() for future in done):
                    self.cancelled.set()
        except BaseException:
            self.cancelled.set()
            wait(pending)
            raise
        errors = [error for future in futures if (error := future.exception())]
        for error in sorted(errors, key=lambda one: isinstance(one, InterruptedRunError)):
            raise error
        return [future.result() for future in futures]


def refusals(results: Iterable[Result], aftermath: str = "") -> ReleaserError | None:
    """All conflicts and failures among `results` as one error; None if there are none.

    Args:
        results: What to look through.
        aftermath: What did or did not happen in spite of them, for the error's first line.
    """
    bad = [result for result in results if isinstance(result.outcome, Conflict | Failed)]
    if not bad:
        return None
    failures = [result.outcome.error for result in bad if isinstance(result.outcome, Failed)]
    steps_by_text: dict[str, list[str]] = {}
    for result in bad:
        steps_by_text.setdefault(_described(result.outcome), []).append(result.step)
    if len(steps_by_text) == 1 and failures:
        return type(failures[0])(
            f"{', '.join(result.step for result in bad)}: {failures[0].message}", failures[0].remedy
        )
    found = "\n".join(f"- {', '.join(steps)}: {text}" for text, steps in steps_by_text.items())
    if len(failures) < len(bad):
        places = "1 place" if len(steps_by_text) == 1 else f"{len(steps_by_text)} places"
        return ConflictError(
            f"The world contradicts this in {places}{aftermath}:\n{found}",
            "Settle that and run the same command again.",
        )
    # The nearest kind that all of them are: its exit code says no more than what is true of each.
    kind: type[ReleaserError] = next(
        one for one in type(failures[0]).__mro__ if all(isinstance(error, one) for error in failures)
    )
    return kind(
        f"{len(bad)} steps did not succeed{aftermath}:\n{found}", "Run the same command again; what is done stays done."
    )


def _described(outcome: Outcome) -> str:
    what, remedy = said(outcome), ""
    if isinstance(outcome, Failed):
        remedy = outcome.error.remedy
    elif isinstance(outcome, Conflict):
        what, remedy = outcome.what, outcome.remedy
    return what + (f"\n  {remedy}" if remedy else "")
