"""The rows: each step of each job of the workflows that release, read from these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from releaser.rehearsal.actions.reading.check import parsed
from releaser.rehearsal.actions.reading.workflow import Job
from releaser.rehearsal.actions.setting import JobFault, Mishap

FOLDER = Path(__file__).parents[3] / ".github" / "workflows"
WORKFLOWS = ("release.yml", "build-wheel.yml")
RERUN, DISPATCH = "rerun", "dispatch"
"""How a person goes on: re-run of the failed jobs, or the workflow started again."""
ATTACHES = "attach"
"""The job that only a release needs which a person made in the web page: the others have their files."""
_PREPARING = 4
"""Steps with which each job begins: checkout, Python, the lock's tools, the engine."""
_IN_CI = (
    ("release.yml", "release", "kill", RERUN),
    ("build-wheel.yml", "publish", "cancel", DISPATCH),
)
"""The rows that are run each time, both after the last step: where the most is public."""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        fault: What happens, and where.
        then: How a person goes on.
    """

    fault: JobFault
    then: str = RERUN
    quick: bool = False

    @property
    def name(self) -> str:
        """The row in words, as a test's name."""
        return f"{self.fault}, then {self.then}"

    @property
    def rung(self) -> tuple[str, str]:
        """The workflow and the job before which the row's world stands."""
        return self.fault.workflow, self.fault.job

    @property
    def by_hand(self) -> bool:
        """Whether a person published the release in the web page."""
        return self.fault.job == ATTACHES


@dataclass
class Outcome:
    """What a row showed: how its runs ended, and what is wrong in the end."""

    row: Row
    runs: list[str] = field(default_factory=list)
    wrong: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as the table has it."""
        end = "failed" if self.wrong else f"as {'by hand' if self.row.by_hand else 'from here'}"
        return {"name": self.row.name, "runs": self.runs, "wrong": self.wrong, "end": end}


def jobs_of(workflow: str) -> dict[str, Job]:
    """Return a workflow's jobs, in its order."""
    return dict(parsed(workflow, (FOLDER / workflow).read_text("utf-8")).jobs)


def rows() -> Iterator[Row]:
    """Return every row: rows of one job stand together."""
    for workflow in WORKFLOWS:
        for name, job in jobs_of(workflow).items():
            yield from _rows(workflow, name, len(job.steps))


def _rows(workflow: str, job: str, steps: int) -> Iterator[Row]:
    for step in range(1, steps + 1):
        own = step > _PREPARING
        wanted: list[tuple[Mishap, str, str]] = [("kill", "before", RERUN), ("kill", "after", RERUN)]
        wanted += [("fail", "after", RERUN), ("cancel", "after", RERUN), ("kill", "after", DISPATCH)] if own else []
        wanted += [("cancel", "after", DISPATCH)] if step == steps else []
        for what, when, then in wanted:
            quick = when == "after" and step == steps and (workflow, job, what, then) in _IN_CI
            yield Row(JobFault(when, job, step, what, workflow), then, quick)
