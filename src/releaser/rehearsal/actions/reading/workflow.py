"""A workflow as its file declares it: frozen models that know our workflows' constructs, and refuse all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Scalar = str | int | float | bool
Access = Literal["read", "write", "none"]
RUNNERS = {"ubuntu-latest": "X64", "ubuntu-24.04": "X64", "ubuntu-22.04": "X64", "ubuntu-24.04-arm": "ARM64"}
"""The machines that jobs may ask for, and their processors."""
SCOPES = frozenset(
    {
        *("actions", "attestations", "checks", "contents", "deployments", "discussions", "id-token", "issues"),
        *("packages", "pages", "pull-requests", "security-events", "statuses"),
    }
)


class Part(BaseModel):
    """A mapping whose keys are written with dashes, and which knows no others than its own."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=lambda name: name.rstrip("_").replace("_", "-")
    )


class Push(Part):
    """Pushed branches and tags, by pattern."""

    branches: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None


class PullRequest(Part):
    """Pull requests, of which a rehearsal has none."""

    branches: tuple[str, ...] | None = None


class Released(Part):
    """What happens to a release."""

    types: tuple[Literal["published"], ...]


class Input(Part):
    """What a dispatch is given."""

    description: str = ""
    required: bool = False
    type: Literal["string", "boolean", "choice", "number"] = "string"
    default: Scalar | None = None
    options: tuple[str, ...] = ()


class Dispatch(Part):
    """A start by hand, or by another workflow."""

    inputs: Mapping[str, Input] = Field(default_factory=dict)


class Schedule(Part):
    """A time, which no rehearsal reaches."""

    cron: str


class Triggers(BaseModel):
    """What starts a workflow; an event that it does not name starts it not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    push: Push | None = None
    pull_request: PullRequest | None = None
    release: Released | None = None
    workflow_dispatch: Dispatch | None = None
    schedule: tuple[Schedule, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _every_form(cls, given: Any) -> Any:
        names = [given] if isinstance(given, str) else given
        if isinstance(names, list):
            return {str(name): {} for name in names}
        if isinstance(names, dict):
            return {name: {} if value is None else value for name, value in names.items()}
        return given


class Concurrency(Part):
    """Runs of one group follow each other."""

    group: str
    cancel_in_progress: bool | str = False

    @model_validator(mode="before")
    @classmethod
    def _group_alone(cls, given: Any) -> Any:
        return {"group": given} if isinstance(given, str) else given


class Environment(Part):
    """What a job is deployed to, and whose rules it is under."""

    name: str
    url: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given


class Strategy(Part):
    """The variants of a job."""

    matrix: Mapping[str, tuple[Scalar | Mapping[str, Scalar], ...]]
    fail_fast: bool = True
    max_parallel: int | None = None


class Step(Part):
    """One step: lines for bash, or an action."""

    id: str | None = None
    name: str | None = None
    if_: str | bool | None = None
    run: str | None = None
    uses: str | None = None
    with_: Mapping[str, Scalar | None] = Field(default_factory=dict)
    env: Mapping[str, Scalar | None] = Field(default_factory=dict)
    shell: Literal["bash"] | None = None
    working_directory: str | None = None
    timeout_minutes: float | None = None
    continue_on_error: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Step:
        if (self.run is None) == (self.uses is None):
            raise ValueError("a step has either `run` or `uses`")
        if self.run is None and (self.shell or self.working_directory):
            raise ValueError("`shell` and `working-directory` are for `run`")
        return self

    @property
    def title(self) -> str:
        """What GitHub calls it."""
        return self.name or f"Run {(self.uses or self.run or '').strip().splitlines()[0]}"


class Job(Part):
    """One job."""

    name: str | None = None
    runs_on: str
    steps: tuple[Step, ...] = Field(min_length=1)
    needs: tuple[str, ...] = ()
    if_: str | bool | None = None
    permissions: Mapping[str, Access] | None = None
    environment: Environment | None = None
    concurrency: Concurrency | None = None
    env: Mapping[str, Scalar | None] = Field(default_factory=dict)
    outputs: Mapping[str, str] = Field(default_factory=dict)
    strategy: Strategy | None = None
    timeout_minutes: float = 360

    @field_validator("needs", mode="before")
    @classmethod
    def _one_or_many(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str) else given


class Workflow(Part):
    """A file of .github/workflows."""

    name: str | None = None
    run_name: str | None = None
    on: Triggers
    permissions: Mapping[str, Access] | None = None
    env: Mapping[str, Scalar | None] = Field(default_factory=dict)
    concurrency: Concurrency | None = None
    jobs: Mapping[str, Job] = Field(min_length=1)

    def granted(self, job: Job) -> dict[str, Access]:
        """Return what a job's token may do: its own permissions, else the workflow's; what is not listed is none."""
        given = self.permissions if job.permissions is None else job.permissions
        return {scope: access for scope, access in (given or {}).items() if access != "none"}
