"""A step is responsible for one fact: it checks it, makes it true, and verifies it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from releaser.errors import ReleaserError

World = TypeVar("World")
"""What a plan's steps ask and change; the runner only passes it on."""


@dataclass(frozen=True)
class Todo:
    """The fact does not hold yet; `what` says what running the step will do."""

    what: str


@dataclass(frozen=True)
class Done:
    """The fact holds.

    Attributes:
        evidence: What shows it, such as a hash or an address.
        seen: When that was seen, in ISO 8601, where it was not asked just now: a receipt says so.
    """

    evidence: str
    seen: str = ""


@dataclass(frozen=True)
class Conflict:
    """What was found differs from what this release needs; a person must decide, and `remedy` says how."""

    what: str
    remedy: str


@dataclass(frozen=True)
class Skipped:
    """The step does not apply here, or was left out on request. A skip without a reason cannot be built."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise ValueError("a skip needs a reason")


@dataclass(frozen=True)
class Warned(Skipped):
    """The step could not be done, and the run is complete without it; `remedy` says how to make up for it."""

    remedy: str


@dataclass(frozen=True)
class Stays(Skipped):
    """What the step would take back is public for good; `remedy` says what to do instead."""

    remedy: str = ""


@dataclass(frozen=True)
class Failed:
    """The fact could not be checked, or the step could not make it true."""

    error: ReleaserError


Outcome = Todo | Done | Conflict | Skipped | Failed


def said(outcome: Outcome) -> str:
    """Return the text of an outcome."""
    if isinstance(outcome, Done):
        return outcome.evidence
    if isinstance(outcome, Todo):
        return outcome.what
    if isinstance(outcome, Warned | Stays) and outcome.remedy:
        return f"{outcome.reason}\n{outcome.remedy}"
    if isinstance(outcome, Skipped):
        return outcome.reason
    if isinstance(outcome, Conflict):
        return f"{outcome.what}. {outcome.remedy}"
    return outcome.error.message


def first_line(outcome: Outcome) -> str:
    """Return the first line of an outcome's text; the whole text of a failure follows at the end of a run."""
    return next(iter(said(outcome).splitlines()), "")


class Step(ABC, Generic[World]):
    """One fact. Subclasses are stateless: everything they know they read from the `world` that they are given.

    Attributes:
        name: A verb phrase in snake case, unique in a plan; also what `--skip` takes.
        title: The fact in words, for plan, progress and report.
        skippable: Whether `--skip` may leave it out, because no later step needs it.
        essential: Whether the run fails if this step does. What stops any other step is a warning, because what was
            achieved before it would look failed for its sake.
        choices: What `--choose NAME=CHOICE` may decide where what was found differs from what the release needs.
    """

    name: str
    title: str
    skippable: bool = False
    essential: bool = True
    choices: tuple[str, ...] = ()

    @abstractmethod
    def check(self, world: World) -> Outcome:
        """Return whether the fact holds now. Change nothing.

        Raises:
            ReleaserError: The fact could not be checked.
        """

    def run(self, _world: World) -> None:
        """Make the fact true.

        Raises:
            ReleaserError: It could not be made true.
        """
        raise ReleaserError(f"{self.title}: this cannot be established by a program")

    def verify(self, world: World) -> Outcome:
        """Check again after `run`; anything but `Done` or `Skipped` fails the step."""
        return self.check(world)


@dataclass(frozen=True)
class Phase(Generic[World]):
    """A stretch of the plan whose branches run side by side and whose branches' steps run in order.

    Attributes:
        name: One word; `--skip` takes it to leave out every step in it.
        title: What holds when the phase is over.
        branches: Steps in order, branch by branch.
        ask: A question to be answered with yes before the phase begins, if any step from here on is still to do;
            `{steps}` in it is replaced by the list of these.
        achieved: What holds whatever fails in this phase: a failure says so first, and has an exit code of its own.
    """

    name: str
    title: str
    branches: tuple[tuple[Step[World], ...], ...]
    ask: str | None = None
    achieved: str | None = None

    @property
    def steps(self) -> tuple[Step[World], ...]:
        """All steps, in the order in which they are written."""
        return tuple(step for branch in self.branches for step in branch)


Plan = tuple[Phase[World], ...]


def part_of(plan: Plan[World], *names: str) -> Plan[World]:
    """Return the part of a plan that has the named steps, and all steps of the named phases; it asks no question."""
    part = []
    for phase in plan:
        kept = (tuple(s for s in branch if phase.name in names or s.name in names) for branch in phase.branches)
        branches = tuple(branch for branch in kept if branch)
        if not branches:
            continue
        titles = "; ".join(step.title for branch in branches for step in branch)
        whole = branches == phase.branches
        part.append(Phase(phase.name, phase.title if whole else titles, branches, achieved=phase.achieved))
    return tuple(part)


def in_order(*steps: Step[World]) -> tuple[tuple[Step[World], ...], ...]:
    """One branch: each step when the one before it is done."""
    return (steps,)


def together(*branches: Step[World] | tuple[Step[World], ...]) -> tuple[tuple[Step[World], ...], ...]:
    """Branches side by side; a branch is a step, or a tuple of steps in order."""
    return tuple(branch if isinstance(branch, tuple) else (branch,) for branch in branches)
