"""What GitHub's responses about workflow runs must hold, as far as a release reads them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Strict, TypeAdapter

from releaser.adapters.forge.records import Approval, Artifact, Job, JobStep, Run
from releaser.adapters.forge.responses import Response, moment


class _Actor(Response):
    login: str


class RunResponse(Response):
    """A workflow run."""

    id: int
    status: str
    conclusion: str | None
    html_url: str
    head_sha: str = ""
    head_branch: str | None = None
    updated_at: str | None = None
    created_at: str | None = None
    display_title: str = ""
    event: str = ""
    run_attempt: int = 1
    path: str = ""
    actor: _Actor | None = None

    def record(self) -> Run:
        """Return it in our words."""
        return Run(
            self.id,
            self.status,
            self.conclusion,
            self.html_url,
            self.head_sha,
            self.head_branch or "",
            moment(self.updated_at),
            self.display_title,
            self.event,
            self.run_attempt,
            self.path.partition("@")[0].rpartition("/")[2],
            moment(self.created_at),
            self.actor.login if self.actor else "",
        )


class RunsResponse(Response):
    """The runs of a workflow, the newest first."""

    workflow_runs: list[RunResponse]


class DispatchResponse(Response):
    """The run that a dispatch made."""

    workflow_run_id: int


class _JobStepResponse(Response):
    number: int
    name: str
    status: str
    conclusion: str | None


class _JobResponse(Response):
    id: int
    name: str
    status: str
    conclusion: str | None
    html_url: str | None
    steps: Annotated[tuple[_JobStepResponse, ...], Strict(False)] = ()
    started_at: str | None = None
    completed_at: str | None = None

    def record(self) -> Job:
        """Return it in our words."""
        steps = tuple(JobStep(one.number, one.name, one.status, one.conclusion) for one in self.steps)
        return Job(
            self.id,
            self.name,
            self.status,
            self.conclusion,
            self.html_url or "",
            steps,
            moment(self.started_at),
            moment(self.completed_at),
        )


class JobsResponse(Response):
    """The jobs of a run, a page of them."""

    jobs: list[_JobResponse]


class _ArtifactResponse(Response):
    name: str
    expired: bool

    def record(self) -> Artifact:
        """Return it in our words."""
        return Artifact(self.name, self.expired)


class ArtifactsResponse(Response):
    """The artifacts of a run."""

    artifacts: list[_ArtifactResponse]


class _Reviewer(Response):
    login: str | None = None
    slug: str | None = None


class _ReviewerOf(Response):
    reviewer: _Reviewer


class _Environment(Response):
    name: str


class PendingResponse(Response):
    """An environment that a run waits for."""

    environment: _Environment
    current_user_can_approve: bool
    wait_timer_started_at: str | None = None
    reviewers: list[_ReviewerOf]

    def record(self) -> Approval:
        """Return it in our words."""
        names = (one.reviewer.login or one.reviewer.slug for one in self.reviewers)
        since = moment(self.wait_timer_started_at)
        return Approval(self.environment.name, tuple(filter(None, names)), self.current_user_can_approve, since)


RUN = TypeAdapter(RunResponse)
RUNS = TypeAdapter(RunsResponse)
DISPATCH = TypeAdapter(DispatchResponse)
JOBS = TypeAdapter(JobsResponse)
ARTIFACTS = TypeAdapter(ArtifactsResponse)
PENDING = TypeAdapter(list[PendingResponse])
