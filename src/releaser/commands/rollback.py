"""Take a release back: show the plan and what stays for good, ask, carry it out, and say how each thing ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from releaser import engine
from releaser.commands.opening import opened_release
from releaser.core.results import Result, is_bad
from releaser.core.runner import Observer
from releaser.core.step import Done, Outcome, Stays, Todo, Warned, said
from releaser.errors import ReleaserError, StaysError
from releaser.plan import rollback_plan
from releaser.release import Release
from releaser.steps.rollback.uploads import is_served

_UNASKED = "Taking back what is public needs confirmation and stdin is not a terminal"
_DECLINED = "Stopped before anything was taken back"


@dataclass
class Ends:
    """An observer that keeps how each step ended, and which of them changed something."""

    begun: list[str] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def phase(self, name: str, title: str, /) -> None:
        """Keep nothing: steps count."""

    def noted(self, step: str, text: str, /) -> None:
        """Keep nothing: ends count."""

    def progress(self, step: str, text: str, done: int | None = None, total: int | None = None, /) -> None:
        """Keep nothing: ends count."""

    def started(self, step: str, _title: str, /) -> None:
        """Keep that it changes something."""
        self.begun.append(step)

    def finished(self, step: str, _title: str, outcome: Outcome, _seconds: float, /) -> None:
        """Keep how it ended."""
        self.outcomes[step] = outcome


def rollback(
    start: Path,
    version: str | None,
    *,
    dry_run: bool,
    yes: bool,
    revert: bool = False,
    absent: bool = False,
    observers: Sequence[Observer] = (),
) -> None:
    """Run `invoke rollback`; further observers of the run are told of each step.

    Raises:
        StaysError: All was taken back that can be, and something stays.
    """
    opened = replace(opened_release(start, version), found_absent=absent)
    plan = rollback_plan(revert=revert)
    redact = opened.redactor()
    surveyed = engine.survey(opened, plan, {})
    todo = [one.step for one in surveyed if isinstance(one.outcome, Todo)]
    if todo or dry_run or any(isinstance(one.outcome, Stays | Warned) for one in surveyed):
        print(f"Taking back {opened.config.distribution} {opened.version}:\n")
    elif not any(is_bad(one) for one in surveyed):
        print(f"There is nothing of {opened.version} to take back.")
        return
    engine.print_survey(opened, surveyed, plan)
    if dry_run:
        return
    if not todo:
        _end(opened, {one.step: one.outcome for one in surveyed}, [])
        return
    ends = Ends()
    ask = engine.say_yes if yes else partial(engine.ask_person, unasked=_UNASKED, declined=_DECLINED)
    try:
        engine.carry_out(opened, plan, skip={}, confirm=ask, observers=(ends, *observers), any_journal=True)
    except ReleaserError:
        if ends.begun:
            _print_ends(opened, ends, surveyed)
        raise
    _print_ends(opened, ends, surveyed)
    print(redact(f"The journal: {opened.store.path / 'journal.jsonl'}"))
    _end(opened, ends.outcomes, ends.begun)


def _print_ends(opened: Release, ends: Ends, surveyed: Sequence[Result]) -> None:
    """Print what was taken back, what stays, and what was not reached, a line for each."""
    expected = {one.step: one.outcome for one in surveyed if isinstance(one.outcome, Todo)}
    # What an earlier step took along, as an immutable release is, did not begin, and is gone as well.
    along = [name for name in expected if name not in ends.begun and isinstance(ends.outcomes.get(name), Done)]
    gone = [*(name for name in ends.begun if _is_back(ends, name)), *along]
    back = {name: said(expected.get(name, ends.outcomes[name])) for name in gone}
    stays = {name: said(one) for name, one in ends.outcomes.items() if isinstance(one, Stays | Warned)}
    missed = {name: said(one) for name, one in expected.items() if name not in back and name not in stays}
    redact = opened.redactor()
    for heading, found in (("Taken back", back), ("Stays", stays), ("Not reached", missed)):
        if found:
            print(f"\n{heading}:")
            for name, text in found.items():
                print(redact(f"  {name}: {text.replace(chr(10), chr(10) + '    -> ')}"))


def _is_back(ends: Ends, name: str) -> bool:
    return isinstance(ends.outcomes.get(name), Done | Stays)


def _end(opened: Release, outcomes: dict[str, Outcome], begun: Sequence[str]) -> None:
    """Say that all is taken back, or fail with what stays and how to go forward."""
    stays = [name for name, one in outcomes.items() if isinstance(one, Stays | Warned)]
    if not stays:
        print(f"All of {opened.version} is taken back.")
        return
    following = opened.version.bump(opened.version.stage or "patch")
    if is_served(opened):
        page = opened.pypi.manage_page(opened.config.distribution, opened.version)
        remedy = (
            f"PyPI has no API for yanking: yank it at {page}, or run `invoke yank --version {opened.version} "
            f'--reason "Use {following} instead"`, which waits until the index shows it. '
            f"Fix the fault, then run `invoke release --version {following}`."
        )
    else:
        remedy = f"Read what stays above. Fix the fault, then run `invoke release --version {following}`."
    done = "what can be taken back is" if begun else "nothing else was there"
    raise StaysError(f"Not all of {opened.version} is taken back, {done}; these stay: {', '.join(stays)}", remedy)
