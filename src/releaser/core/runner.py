"""Run a plan: check every step, then run those that are to do, branches side by side.

The runner knows nothing of releases and nothing of terminals. To time, log, show or disturb a run, observe it.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from releaser.core.activity import Activity, Answers, bound, current
from releaser.core.asking import side_by_side
from releaser.core.results import OUT_OF_OUR_HANDS, Result, as_warning, despite, is_bad, refusals, unwritable
from releaser.core.step import (
    Done,
    Failed,
    Outcome,
    Phase,
    Plan,
    Skipped,
    Step,
    Todo,
    World,
)
from releaser.errors import InterruptedRunError, ReleaserError, ServiceError, StepError

_CHECKS_AT_ONCE = 8
_Result = TypeVar("_Result")


class Observer(Protocol):
    """Receives the events of a run, in the thread in which each happens."""

    def phase(self, name: str, title: str, /) -> None:
        """Receive the beginning of a phase."""

    def started(self, step: str, title: str, /) -> None:
        """Receive the beginning of a step that runs."""

    def progress(self, step: str, text: str, done: int | None, total: int | None, /) -> None:
        """Receive the progress of a running step; if it counts what it does, `done` of `total`."""

    def noted(self, step: str, text: str, /) -> None:
        """Receive what happened while a step ran, which is shown for good."""

    def finished(self, step: str, title: str, outcome: Outcome, seconds: float, /) -> None:
        """Receive the outcome of a step that ended or did not have to run; it took `seconds` of wall time."""


@dataclass
class Runner(Generic[World]):
    """A plan, what its steps act on, and the observers of the run.

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

    def survey(self, phases: Iterable[Phase[World]] | None = None, *, within: float | None = None) -> list[Result]:
        """Check every step, several at once; return the results in the order of the plan. Change nothing.

        Args:
            phases: The phases to check; all by default.
            within: Seconds until services that do not answer are given up; then all steps are asked at once.
        """
        asked = [(phase, step) for phase in (self.plan if phases is None else phases) for step in phase.steps]
        if within is not None:
            found = side_by_side([partial(self._check, step) for _, step in asked], within)
            outcomes = [one or Failed(_unanswered(within)) for one in found]
        else:
            answers = Answers()
            with self._threads(_CHECKS_AT_ONCE, "check") as pool:
                outcomes = self._gather([self._submit(pool, self._check, step, answers) for _, step in asked])
        return [
            Result(step.name, step.title, phase.name, outcome)
            for (phase, step), outcome in zip(asked, outcomes, strict=True)
        ]

    def run(self, confirm: Callable[[str], None]) -> list[Result]:
        """Carry the plan out.

        Args:
            confirm: Called with a phase's question before that phase; returns for yes and raises for no.

        Raises:
            ConflictError: What was found differs from what the plan needs; all conflicts are named. Nothing was
                changed since the last question.
            StepError: One or more steps failed.
            PublishedError: One or more steps failed in a phase whose `achieved` holds all the same.
            InterruptedRunError: `cancelled` was set.
        """
        self._take(self.survey(), "; nothing was changed")
        for number, phase in enumerate(self.plan):
            if not phase.steps:
                continue
            if phase.ask and self._changed:
                self._take(self.survey(self.plan[number:]), "; nothing was published")
            if phase.ask and (steps := self._to_do(number)):
                confirm(phase.ask.replace("{steps}", steps))
            for observer in self.observers:
                observer.phase(phase.name, phase.title)
            answers = Answers()
            try:
                with self._threads(len(phase.branches), phase.name) as pool:
                    self._gather(
                        [self._submit(pool, self._run_branch, phase, branch, answers) for branch in phase.branches]
                    )
            except OSError as error:
                if phase.achieved and error.errno in OUT_OF_OUR_HANDS:
                    raise despite(phase.achieved, unwritable(error), ()) from error
                raise
            self._raise_failures(phase)
        return [self.results[step.name] for step in self._steps(0)]

    # --- one step -------------------------------------------------------------------------------------------------

    def _check(self, step: Step[World], answers: Answers | None = None) -> Outcome:
        if self.cancelled.is_set():
            raise InterruptedRunError("stopped before the next check")
        if reason := self.skip.get(step.name):
            return self._allowed(step, Skipped(reason))
        activity = Activity(cancelled=self.cancelled, answers=answers) if answers else current()
        with bound(activity):
            return self._outcome(step, lambda: step.check(self.world))

    def _outcome(self, step: Step[World], attempt: Callable[[], Outcome]) -> Outcome:
        """Return how an attempt at a step ends; what a step that is not essential stumbles over is a warning."""
        outcome: Outcome
        try:
            outcome = attempt()
        except InterruptedRunError:
            raise
        except ReleaserError as error:
            outcome = Failed(error)
        except OSError as error:
            if step.essential:
                raise
            outcome = Failed(unwritable(error))
        return self._allowed(step, as_warning(step, outcome))

    def _allowed(self, step: Step[World], outcome: Outcome) -> Outcome:
        """Return the outcome, unless it is a skip of what may not be skipped."""
        demand = self.require.get(step.name)
        if demand is None or not isinstance(outcome, Skipped):
            return outcome
        return Failed(
            StepError(f"{demand} is not met: {outcome.reason}", f"Provide what is missing, or run without {demand}.")
        )

    def _run_branch(self, phase: Phase[World], branch: tuple[Step[World], ...], answers: Answers) -> None:
        for step in branch:
            if self.cancelled.is_set():
                raise InterruptedRunError("stopped before the next step")
            begun = time.monotonic()
            known = self.results[step.name].outcome
            outcome = known if isinstance(known, Done) and not self._changed else self._check(step, answers)
            if isinstance(outcome, Todo):
                self._changed = True
                outcome = self._make_true(step, answers)
            self._keep(Result(step.name, step.title, phase.name, outcome, time.monotonic() - begun))
            if not isinstance(outcome, Done | Skipped):
                return

    def _make_true(self, step: Step[World], answers: Answers) -> Outcome:
        for observer in self.observers:
            observer.started(step.name, step.title)

        def tell(text: str, done: int | None = None, total: int | None = None) -> None:
            for observer in self.observers:
                observer.progress(step.name, text, done, total)

        def note(text: str) -> None:
            for observer in self.observers:
                observer.noted(step.name, text)

        def attempt() -> Outcome:
            step.run(self.world)
            outcome = step.verify(self.world)
            if isinstance(outcome, Todo):
                said = f"it ran without an error, but its check still reports: {outcome.what}"
                return Failed(StepError(said, "Rerun the command."))
            return outcome

        with bound(Activity(tell, self.cancelled, answers=answers, note=note)):
            return self._outcome(step, attempt)

    # --- all of them ----------------------------------------------------------------------------------------------

    def _steps(self, from_phase: int) -> Iterable[Step[World]]:
        return (step for phase in self.plan[from_phase:] for step in phase.steps)

    def _to_do(self, from_phase: int) -> str:
        """Return the steps that are still to do, a line for each phase."""
        lines = []
        for phase in self.plan[from_phase:]:
            names = [step.name for step in phase.steps if isinstance(self.results[step.name].outcome, Todo)]
            lines += [f"  {phase.name:<10}{', '.join(names)}"] if names else []
        return "\n".join(lines)

    def _take(self, survey: list[Result], aftermath: str) -> None:
        """Keep the results of a survey, unless there are conflicts or failures among them."""
        for result in survey:
            self.results[result.step] = result
        if refused := refusals(survey, aftermath):
            raise refused

    def _keep(self, result: Result) -> None:
        self.results[result.step] = result
        for observer in self.observers:
            observer.finished(result.step, result.title, result.outcome, result.seconds)

    def _raise_failures(self, phase: Phase[World]) -> None:
        results = [self.results[step.name] for step in phase.steps]
        refused = refusals(results)
        if refused and phase.achieved:
            skippable = [step.name for step in phase.steps if step.skippable and is_bad(self.results[step.name])]
            refused = despite(phase.achieved, refused, skippable)
        if refused:
            raise refused

    @contextmanager
    def _threads(self, number: int, name: str) -> Iterator[ThreadPoolExecutor]:
        """Provide a pool of threads, which waits for its work at the end: when the block fails, that work is stopped.

        A signal can arrive between any two lines of the block, also before there is a future to wait for.
        """
        with ThreadPoolExecutor(number, name) as pool:
            try:
                yield pool
            except BaseException:
                self.cancelled.set()
                raise

    def _submit(self, pool: ThreadPoolExecutor, work: Callable[..., _Result], *arguments: Any) -> Future[_Result]:
        return pool.submit(contextvars.copy_context().run, work, *arguments)

    def _gather(self, futures: list[Future[_Result]]) -> list[_Result]:
        """Wait for all, open to signals; a stop, or a bug of ours, in one stops the others."""
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=0.5, return_when=FIRST_COMPLETED)
            if any(future.exception() for future in done):
                self.cancelled.set()
        errors = [error for future in futures if (error := future.exception())]
        for error in sorted(errors, key=lambda one: isinstance(one, InterruptedRunError)):
            raise error
        return [future.result() for future in futures]


def _unanswered(within: float) -> ServiceError:
    return ServiceError(f"nothing answered within {within:.0f} s", "Check the network, then rerun the command.")
