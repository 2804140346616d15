"""A run from outside: lock, journal, display, signals and the one question, wrapped around a plan and its runner."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from releaser.adapters.clients import import_clients
from releaser.core import display
from releaser.core.journal import Journal
from releaser.core.runner import Observer, Result, Runner, refusals
from releaser.core.step import Outcome, Plan, Todo, first_line, said
from releaser.errors import InterruptedRunError, NotConfirmedError, ReleaserError
from releaser.release import Release
from releaser.secret import Redactor


@dataclass
class JournalObserver:
    """Writes what happens to the journal."""

    journal: Journal

    def phase(self, name: str, title: str) -> None:  # noqa: ARG002  the name says it
        """A line a phase."""
        self.journal.write("phase", phase=name)

    def started(self, step: str, title: str) -> None:  # noqa: ARG002  the name says it
        """A line before a step changes anything."""
        self.journal.write("started", step=step)

    def progress(self, step: str, text: str) -> None:
        """Progress is for those who watch; the record has outcomes."""

    def finished(self, step: str, title: str, outcome: Outcome, seconds: float) -> None:  # noqa: ARG002
        """A line with the outcome and what it rests on."""
        kind = type(outcome).__name__.lower()
        self.journal.write("finished", step=step, outcome=kind, says=said(outcome), seconds=round(seconds, 3))


def survey(
    release: Release, plan: Plan[Release], skip: Mapping[str, str], require: Mapping[str, str] | None = None
) -> list[Result]:
    """What the world says about every step now. Changes nothing, and takes no lock."""
    import_clients()
    return Runner(plan, release, skip=skip, require=require or {}).survey()


def carry_out(
    release: Release,
    plan: Plan[Release],
    *,
    skip: Mapping[str, str],
    confirm: Callable[[str], None],
    require: Mapping[str, str] | None = None,
    observers: Sequence[Observer] = (),
) -> list[Result]:
    """Runs the plan and shows it; every end is in the journal.

    Raises:
        ReleaserError: See `Runner.run`. Ctrl-C and SIGTERM end as InterruptedRunError, when what runs has been ended.
    """
    redact = Redactor()
    redact.learn(release.secrets())
    import_clients()
    with release.store.locked():
        journal = Journal(release.store.path / "journal.jsonl", redact)
        journal.write("begin", version=str(release.version), command=sys.argv[1:], skipped=dict(skip))
        with display.display(redact) as shown, _stopping_on_sigterm():

            def asked(question: str) -> None:
                with shown.paused():
                    confirm(question)
                journal.write("confirmed", question=question)

            runner = Runner(plan, release, (JournalObserver(journal), shown, *observers), skip, require or {})
            try:
                results = runner.run(asked)
            except _TerminatedError:
                journal.write("end", outcome="terminated")
                _raise_interrupted("SIGTERM", 128 + signal.SIGTERM)
            except (KeyboardInterrupt, InterruptedRunError):
                journal.write("end", outcome="interrupted")
                _raise_interrupted("Ctrl-C", 130)
            except ReleaserError as error:
                journal.write("end", outcome=type(error).__name__, message=error.message)
                raise type(error)(redact(error.message), redact(error.remedy)) from error
            except Exception as error:
                # On a full disk there is no room for this either.
                with suppress(OSError):
                    journal.write("end", outcome=type(error).__name__, message=str(error))
                raise
        journal.write("end", outcome="done")
    return results


def ask_person(question: str) -> None:
    """Asks on the terminal.

    Raises:
        NotConfirmedError: The answer was not yes, or there is no terminal to ask on.
    """
    if not sys.stdin.isatty():
        raise NotConfirmedError(
            "Everything that can fail here has passed, and nobody is there to say that it may go on in public.",
            "Run the same command with --yes, or on a terminal.",
        )
    try:
        answer = input(f"\n{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise NotConfirmedError("Stopped before anything public.", "Run the same command again to be asked again.")


def say_yes(question: str) -> None:
    """Answers the question beforehand: --yes."""


def print_survey(release: Release, results: Sequence[Result], plan: Plan[Release]) -> None:
    """Prints the plan with what the world says to each step.

    Raises:
        ReleaserError: The world contradicts the plan; the table is printed before.
    """
    redact = Redactor()
    redact.learn(release.secrets())
    show = display.print_phase if sys.stdout.isatty() else display.print_phase_plain
    for phase in plan:
        rows = [
            (result.step, result.outcome, redact(first_line(result.outcome)))
            for result in results
            if result.phase == phase.name
        ]
        show(phase.name, phase.title, rows)
    todo = sum(isinstance(result.outcome, Todo) for result in results)
    print(f"\n{todo} of {len(results)} steps to do; nothing was touched.")
    if error := refusals(results, "; nothing was touched"):
        raise type(error)(redact(error.message), redact(error.remedy))


class _TerminatedError(BaseException):
    """SIGTERM arrived."""


@contextmanager
def _stopping_on_sigterm() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  the signal's signature
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise_interrupted(by: str, code: int) -> NoReturn:
    error = InterruptedRunError(
        f"Stopped by {by}. What is done stays done, and nothing is half done.", "Run the same command again to go on."
    )
    error.exit_code = code
    raise error from None
