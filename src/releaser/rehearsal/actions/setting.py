"""What the runner is given: the repository, what it keeps, and what the rehearsal leaves out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Record = dict[str, Any]


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


@dataclass(frozen=True)
class Kill:
    """A job that ends before or after one of its steps, as if its machine were lost; once.

    Attributes:
        when: "before" or "after".
        job: The job's name in the workflow.
        step: The number of the step, from 1.
    """

    when: str
    job: str
    step: int

    def __str__(self) -> str:
        return f"kill-{self.when}={self.job}:{self.step}"


def parse_kill(text: str) -> Kill:
    """Return the fault that `kill-before=JOB:STEP` or `kill-after=JOB:STEP` describes.

    Raises:
        ValueError: It is none.
    """
    name, _, where = text.partition("=")
    job, _, step = where.rpartition(":")
    if name not in ("kill-before", "kill-after") or not job or not step.isdecimal():
        raise ValueError(f"{text!r} is neither kill-before=JOB:STEP nor kill-after=JOB:STEP")
    return Kill(name.removeprefix("kill-"), job, int(step))


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
        kills: The faults of this run.
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
    kills: tuple[Kill, ...] = ()
