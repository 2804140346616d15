"""A step owns one fact that must hold in the outside world, and answers four questions about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

from releaser.errors import ReleaserError

World = TypeVar("World")
"""Whatever a plan's steps ask and change; the runner only hands it on."""


@dataclass(frozen=True)
class Todo:
    """The fact does not hold yet; `what` says what running the step will do."""

    what: str


@dataclass(frozen=True)
class Done:
    """The fact holds; `evidence` is what the world said, such as a hash or an address."""

    evidence: str


@dataclass(frozen=True)
class Conflict:
    """The world holds something else; nobody but a person may decide, and `remedy` says how."""

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
class Failed:
    """The world could not be asked, or the step could not make its fact true."""

    error: ReleaserError


Outcome = Todo | Done | Conflict | Skipped | Failed


def said(outcome: Outcome) -> str:
    """What an outcome says, in one text."""
    if isinstance(outcome, Done):
        return outcome.evidence
    if isinstance(outcome, Todo):
        return outcome.what
    if isinstance(outcome, Skipped):
        return outcome.reason
    if isinstance(outcome, Conflict):
        return f"{outcome.what} {outcome.remedy}".strip()
    return outcome.error.message


def first_line(outcome: Outcome) -> str:
    """What an outcome says, for a display of one line a step; the whole of a failure follows at the end of a run."""
    return next(iter(said(outcome).splitlines()), "")


@dataclass(frozen=True)
class Undone:
    """The fact was taken back."""

    evidence: str


@dataclass(frozen=True)
class NothingToUndo:
    """The fact did not hold, or leaves nothing behind that matters."""

    reason: str


@dataclass(frozen=True)
class CannotUndo:
    """The fact is public for good; `forward` says how to go on from here."""

    reason: str
    forward: str


UndoOutcome = Undone | NothingToUndo | CannotUndo


class Step(ABC, Generic[World]):
    """One fact. Subclasses are stateless: everything they know they ask of the world they are given.

    Attributes:
        name: A verb phrase in snake case, unique in a plan; also what `--skip` takes.
        title: The fact in words, for plan, progress and report.
        skippable: Whether `--skip` may leave it out, because no later step needs it.
    """

    name: str
    title: str
    skippable: bool = False

    @abstractmethod
    def check(self, world: World) -> Outcome:
        """What the world says now. Changes nothing.

        Raises:
            ReleaserError: The world could not be asked.
        """

    def run(self, _world: World) -> None:
        """Makes the fact true.

        Raises:
            ReleaserError: It could not be made true.
        """
        raise ReleaserError(f"{self.title}: this cannot be established by a program")

    def verify(self, world: World) -> Outcome:
        """Asks the world again after `run`; anything but `Done` or `Skipped` fails the step."""
        return self.check(world)

    def undo(self, _world: World) -> UndoOutcome:
        """Takes the fact back, or says why it cannot be."""
        return NothingToUndo("leaves nothing behind")


@dataclass(frozen=True)
class Phase(Generic[World]):
    """A stretch of the plan whose branches run side by side and whose branches' steps run in order.

    Attributes:
        name: One word; `--skip` takes it to leave out every step in it.
        title: What holds when the phase is over.
        branches: Steps in order, branch by branch.
        ask: A question to be answered with yes before the phase begins, if any step from here on is still to do;
            `{steps}` in it stands for the list of these.
    """

    name: str
    title: str
    branches: tuple[tuple[Step[World], ...], ...]
    ask: str | None = None

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
        part.append(Phase(phase.name, phase.title if whole else titles, branches))
    return tuple(part)


def in_order(*steps: Step[World]) -> tuple[tuple[Step[World], ...], ...]:
    """One branch: each step when the one before it is done."""
    return (steps,)


def together(*branches: Step[World] | tuple[Step[World], ...]) -> tuple[tuple[Step[World], ...], ...]:
    """Branches side by side; a branch is a step, or a tuple of steps in order."""
    return tuple(branch if isinstance(branch, tuple) else (branch,) for branch in branches)
