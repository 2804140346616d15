"""Run a plan with everything around it: lock, journal, display, signals and the question before publishing."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from releaser.adapters.clients import import_clients
from releaser.adapters.where import told_here
from releaser.core import display
from releaser.core.journal import Journal
from releaser.core.results import Result, refusals
from releaser.core.runner import Observer, Runner
from releaser.core.step import Outcome, Plan, Todo, first_line, said
from releaser.dists.built import read_dists
from releaser.errors import ConflictError, InterruptedRunError, NotConfirmedError, ReleaserError
from releaser.release import Release
from releaser.store import ACCEPT, broken_journal


@dataclass
class JournalObserver:
    """Write the events of a run to the journal."""

    journal: Journal

    def phase(self, name: str, _title: str) -> None:
        """Write a line for the phase."""
        self.journal.write("phase", phase=name)

    def started(self, step: str, _title: str) -> None:
        """Write a line before the step changes anything."""
        self.journal.write("started", step=step)

    def progress(self, step: str, text: str, done: int | None = None, total: int | None = None) -> None:
        """Write nothing: the record has outcomes."""

    def noted(self, step: str, text: str) -> None:
        """Write a line with what happened."""
        self.journal.write("noted", step=step, says=text)

    def finished(self, step: str, title: str, outcome: Outcome, seconds: float) -> None:
        """Write a line with the outcome and its evidence."""
        kind = type(outcome).__name__.lower()
        facts = {"outcome": kind, "says": said(outcome), "seconds": round(seconds, 3)}
        self.journal.write("finished", step=step, title=title, **facts)


def survey(
    release: Release,
    plan: Plan[Release],
    skip: Mapping[str, str],
    require: Mapping[str, str] | None = None,
) -> list[Result]:
    """Check every step of the plan, as `Runner.survey` does. Change nothing, and take no lock."""
    import_clients()
    with stoppable():
        return Runner(plan, release, skip=skip, require=require or {}).survey()


def carry_out(
    release: Release,
    plan: Plan[Release],
    *,
    skip: Mapping[str, str],
    confirm: Callable[[str], None],
    require: Mapping[str, str] | None = None,
    observers: Sequence[Observer] = (),
    any_journal: bool = False,
) -> list[Result]:
    """Run the plan, show it, and record it in the journal however it ends.

    Args:
        release: The release.
        plan: The plan.
        skip: Why steps are left out, by step.
        confirm: Asks the plan's question.
        require: What demands that steps are not left out, by step.
        observers: Further observers of the run.
        any_journal: Whether to go on with an altered journal, which is set aside: what is taken back needs none.

    Raises:
        ReleaserError: See `Runner.run`. Ctrl-C and SIGTERM become InterruptedRunError once running programs have ended.
    """
    redact = release.redactor()
    import_clients()
    with release.store.locked():
        journal = _opened_journal(release, any_journal=any_journal)
        chosen = {"choices": dict(release.choices)} if release.choices else {}
        journal.write("begin", version=str(release.version), command=sys.argv[1:], skipped=dict(skip), **chosen)
        with display.display(lambda text: told_here(redact(text))) as shown, stoppable():

            def asked(question: str) -> None:
                with shown.paused():
                    confirm(question)
                journal.write("confirmed", question=question)

            runner = Runner(plan, release, (JournalObserver(journal), shown, *observers), skip, require or {})
            try:
                results = runner.run(asked)
            except _StopSignal as stop:
                journal.write("end", outcome="terminated" if stop.number == signal.SIGTERM else "interrupted")
                raise
            except InterruptedRunError:
                journal.write("end", outcome="interrupted")
                raise
            except ReleaserError as error:
                journal.write("end", outcome=type(error).__name__, message=error.message)
                raise error.reworded(redact(error.message), redact(error.remedy)) from error
            except Exception as error:
                # On a full disk there is no room for this either.
                with suppress(OSError):
                    journal.write("end", outcome=type(error).__name__, message=str(error))
                raise
        journal.write("end", outcome="done")
    return results


def watch(release: Release, plan: Plan[Release]) -> list[Result]:
    """Run a plan that changes nothing, and show it. It takes no lock and writes no journal: others may release.

    Raises:
        ReleaserError: As `carry_out`.
    """
    redact = release.redactor()
    import_clients()
    with display.display(redact) as shown, stoppable():
        try:
            return Runner(plan, release, (shown,)).run(say_yes)
        except ReleaserError as error:
            raise error.reworded(redact(error.message), redact(error.remedy)) from error


def _opened_journal(release: Release, *, any_journal: bool) -> Journal:
    """Return the journal; where a person chose to begin another, with the built files as they are now.

    Raises:
        ConflictError: The journal is not what was written.
    """
    chain, begin = release.store.chain, ACCEPT in {f"{step}={how}" for step, how in release.choices.items()}
    if chain.problem and not begin and not any_journal:
        raise ConflictError(*broken_journal(chain))
    journal = release.journal
    if begin and (chain.problem or chain.newest("built") is None) and (dists := read_dists(release.store.dist)):
        journal.write("built", files=dists.sha256, commit=release.commit(), accepted="as they are, by choice")
    return journal


def ask_person(
    question: str,
    unasked: str = "All local checks passed, but publishing needs confirmation and stdin is not a terminal",
    declined: str = "Stopped before publishing",
) -> None:
    """Ask on the terminal.

    Args:
        question: What to ask.
        unasked: What to say where it cannot be asked.
        declined: What to say after a no.

    Raises:
        NotConfirmedError: The answer was not yes, or stdin is not a terminal.
    """
    if not sys.stdin.isatty():
        raise NotConfirmedError(
            unasked,
            "Rerun the command with --yes, or in a terminal.",
        )
    try:
        answer = input(f"\n{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise NotConfirmedError(declined, "Rerun the command to be asked again.")


def say_yes(question: str) -> None:
    """Answer yes without asking: --yes."""


def print_survey(release: Release, results: Sequence[Result], plan: Plan[Release]) -> None:
    """Print the plan with the outcome of each step's check.

    Raises:
        ReleaserError: There are conflicts or failures among the outcomes; the table is printed first.
    """
    redact = release.redactor()
    for phase in plan:
        rows = [
            (result.step, result.outcome, redact(first_line(result.outcome)))
            for result in results
            if result.phase == phase.name
        ]
        if rows:
            display.print_phase(phase.name, phase.title, rows)
    todo = sum(isinstance(result.outcome, Todo) for result in results)
    print(f"\n{todo} of {len(results)} steps to do; nothing was changed.")
    if error := refusals(results, "; nothing was changed"):
        raise error.reworded(redact(error.message), redact(error.remedy))


class _StopSignal(KeyboardInterrupt):
    """Ctrl-C or SIGTERM was received."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def stoppable() -> Iterator[None]:
    """Have the first Ctrl-C or SIGTERM stop the block; drop later ones, which would interrupt the stopping itself.

    A signal that this process was told to ignore (`nohup`, a background job) stays ignored.

    Raises:
        InterruptedRunError: The block was stopped; running programs have ended.
    """
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        if not received:
            received.append(number)
            raise _StopSignal(number)

    numbers = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        by, code = ("SIGTERM", 128 + signal.SIGTERM) if signal.SIGTERM in received else ("Ctrl-C", 130)
        raise InterruptedRunError(
            f"Stopped by {by}", "Rerun the command to continue. Completed steps are not repeated.", code
        ) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
