"""What the runner is given: the repository, what it keeps, and what the rehearsal leaves out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

Record = dict[str, Any]

PROCESSORS_OF_JOB = 2
"""What a job needs to run about as it does on a machine of its own."""


class Records(Protocol):
    """The forge's own state."""

    world: Path
    state: Record

    def commit(self) -> None:
        """Put the state on disk."""

    def new_id(self) -> int:
        """Return a number that no other thing has."""


class Caller(Protocol):
    """Who asks for something."""

    @property
    def login(self) -> str | None:
        """The user; None without a token."""

    @property
    def is_person(self) -> bool:
        """False for a workflow's own token."""


Mishap = Literal["kill", "fail", "cancel"]
_MISHAP = re.compile(
    r"(?P<what>kill|fail|cancel)-(?P<when>before|after)=((?P<workflow>[^:=/]+)/)?(?P<job>[^:=/]+):(?P<step>[0-9]+)"
)


@dataclass(frozen=True)
class JobFault:
    """What happens to a job before or after one of its steps; once.

    Attributes:
        when: "before" or "after".
        job: The job's name in the workflow.
        step: The number of the step, from 1.
        what: "kill": its machine is lost; "fail": the step fails; "cancel": the run is cancelled.
        workflow: The workflow's file; empty is whichever has the job first.
    """

    when: str
    job: str
    step: int
    what: Mishap = "kill"
    workflow: str = ""

    def __str__(self) -> str:
        where = f"{self.workflow}/{self.job}" if self.workflow else self.job
        return f"{self.what}-{self.when}={where}:{self.step}"

    def is_of(self, workflow: str, job: str) -> bool:
        """Return whether it is about a job of a workflow."""
        return self.job == job and self.workflow in ("", workflow)


def parse_fault(text: str) -> JobFault:
    """Return the fault that `kill-after=JOB:STEP` describes; fail and cancel, before, WORKFLOW/JOB in the same way.

    Raises:
        ValueError: It is none.
    """
    found = _MISHAP.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is none of kill, fail or cancel, -before= or -after=, and JOB:STEP")
    what: Mishap = next(one for one in get_args(Mishap) if one == found["what"])
    return JobFault(found["when"], found["job"], int(found["step"]), what, found["workflow"] or "")


@dataclass(frozen=True)
class Setting:
    """What does not change while the stand-in runs.

    Attributes:
        repository: ``OWNER/NAME``.
        git_dir: The bare repository.
        branch: Its default branch.
        address: Returns the stand-in's own address; None until it is known.
        services: The file for RELEASER_SERVICES; None sets none.
        key: What identities are signed with.
        carried: The workflows that are carried out; None is all. Others are listed as skipped when they are started.
        left_out: Why workflows that others start are not carried out, by name.
        with_engine: The workflows whose jobs have this machine's container engine.
        pythons: The version that runs instead of one that a job asks for, because the images' base has it.
        faults: What happens to jobs of this run.
        at_once: How many jobs of a run this machine carries out at the same time, each of which expects a machine of
            its own; others wait, as for a free runner.
    """

    repository: str
    git_dir: Path
    address: Callable[[], str | None]
    branch: str = "main"
    services: Path | None = None
    key: str | None = None
    carried: frozenset[str] | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    with_engine: frozenset[str] = frozenset()
    pythons: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[JobFault, ...] = ()
    at_once: int = field(default_factory=lambda: max(1, (os.cpu_count() or 1) // PROCESSORS_OF_JOB))

    def befalls(self, world: Path, workflow: str, job: str, when: str, step: int) -> Mishap | None:
        """Return what happens to a job before or after a step, the first time that this is asked in a world."""
        for fault in self.faults:
            if (fault.when, fault.step) == (when, step) and fault.is_of(workflow, job):
                marker = world / "faults" / re.sub("[:/]", "-", str(fault))
                marker.parent.mkdir(exist_ok=True)
                if not marker.exists():
                    marker.touch()
                    return fault.what
        return None
