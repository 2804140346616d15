"""A workflow's run of one release: which run that is, what it does now, and why it failed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from releaser.adapters.forge.records import Approval, Job, Run
from releaser.core.activity import current
from releaser.errors import ServiceError, StepError
from releaser.release import Release

_LAST_LINES = 12
_COMMIT = re.compile(r"@[0-9a-f]{40}\b")
"""What a pinned action's step has in its name."""
_WORDS = {"failure": "failed", "cancelled": "was cancelled", "timed_out": "took too long", "skipped": "was skipped"}
_TOLD = ("name", "status", "conclusion", "seconds", "url")
_ON_ITS_WAY = ("queued", "requested", "pending")


def runs_of(release: Release, workflow: str) -> list[Run]:
    """Return a workflow's runs of this version, the newest first.

    A run is known by its tag, by the release commit, or by the version in its title: a dispatched run runs at the
    branch, and GitHub tells no run's inputs.

    Raises:
        ServiceError: GitHub refused, or did not respond.
    """
    commit = release.commit()
    return [one for one in release.forge.workflows.runs(workflow) if _is_of(one, release, commit)]


def dispatched_runs(release: Release) -> list[Run]:
    """Return the runs of the workflow that releases which are of this version, the newest first.

    Raises:
        ServiceError: GitHub refused, or did not respond.
    """
    noted = release.store.chain.newest("dispatched")
    number = noted["run"] if noted else None
    found = release.forge.workflows.runs(release.config.release_workflow)
    return [one for one in found if one.id == number or names_version(one, release)]


def names_version(run: Run, release: Release) -> bool:
    """Return whether a run's title names this version, and not one that it is only a part of."""
    version = re.escape(str(release.version))
    return re.search(rf"(?<![\w.+-])v?{version}(?![\w+-]|\.\w)", run.title) is not None


def _is_of(run: Run, release: Release, commit: str | None) -> bool:
    if run.event == "workflow_dispatch" and run.branch != release.tag:
        return names_version(run, release)
    return run.branch == release.tag or run.commit == commit


@dataclass(frozen=True)
class Seen:
    """A run as it was when it was looked at.

    Attributes:
        workflow: The workflow's file name.
        run: The run.
        jobs: The jobs of its newest attempt.
        approvals: The environments that it waits for.
        ahead: The run of the same concurrency group after which it is its turn.
    """

    workflow: str
    run: Run
    jobs: Sequence[Job]
    approvals: Sequence[Approval]
    ahead: Run | None = None

    @property
    def succeeded(self) -> bool:
        """Whether it ended as it should."""
        return self.run.ended and self.run.conclusion == "success"

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise."""
        return self.run.ended and not self.succeeded

    @property
    def state(self) -> str:
        """What it does, in a line that changes only when that does."""
        if self.run.ended:
            how = "succeeded" if self.succeeded else ended(self.run.conclusion)
            return f"{self.workflow} {how}: {self.run.url}"
        if self.approvals:
            return f"{self.workflow} {'; '.join(map(_awaited, self.approvals))}: approve at {self.run.url}"
        if self.run.status == "waiting":
            return f"{self.workflow} waits for a rule of an environment: {self.run.url}"
        if self.ahead:
            does = "waits for a reviewer" if self.ahead.status == "waiting" else "has not ended"
            return f"{self.workflow} waits for its turn, {self.ahead.url} {does}: {self.run.url}"
        if self.run.status in _ON_ITS_WAY and not any(job.started and job.steps for job in self.jobs):
            return f"{self.workflow} is queued, no job runs yet: {self.run.url}"
        attempt = f" (attempt {self.run.attempt})" if self.run.attempt > 1 else ""
        return f"{self.workflow} runs{attempt}: {self.run.url}"

    @property
    def waits_for_environment(self) -> bool:
        """Whether it waits for a person, or for another rule of an environment."""
        return not self.run.ended and (bool(self.approvals) or self.run.status == "waiting")

    @property
    def waits_for_turn(self) -> bool:
        """Whether another run must end before it begins."""
        return not self.run.ended and self.ahead is not None

    @property
    def has_running_job(self) -> bool:
        """Whether a runner works on one of its jobs."""
        return not self.run.ended and any(job.status == "in_progress" for job in self.jobs)

    @property
    def details(self) -> str:
        """What each job does that has not ended, step by step; of whom it waits for, for how long already."""
        now = datetime.now(timezone.utc)
        told = [f"{_whom(one)} awaited for {_span(now - one.since)}" for one in self.approvals if one.since]
        told += [_doing(job) for job in self.jobs if job.status != "completed"]
        return ", ".join(filter(None, told)) or "no job runs"

    @property
    def counted(self) -> tuple[int, int]:
        """How many jobs have ended, of how many."""
        return sum(job.status == "completed" for job in self.jobs), len(self.jobs)


def look(release: Release, workflow: str, run: Run) -> Seen:
    """Ask for a run, its jobs and what it waits for.

    Raises:
        ServiceError: GitHub refused, or did not respond.
    """
    workflows = release.forge.workflows
    fresh = workflows.run(run.id)
    jobs = workflows.jobs(fresh)
    ahead = _ahead(workflows.runs(workflow), fresh) if fresh.status == "pending" else None
    begun = [job.started for job in jobs if job.status == "waiting" and job.started]
    waits = fresh.status == "waiting" or any(job.status == "waiting" for job in jobs)
    approvals = workflows.approvals(fresh) if waits and not fresh.ended else []
    # Of an environment without a timer GitHub may not tell; a job is listed once only its environment is lacking.
    since = min(begun, default=fresh.updated)
    return Seen(workflow, fresh, jobs, [replace(one, since=one.since or since) for one in approvals], ahead)


def _ahead(found: Sequence[Run], run: Run) -> Run | None:
    """Return the run whose end a pending one awaits: each of our groups is one workflow's."""
    return next((one for one in found if one.id != run.id and not one.ended and one.status != "pending"), None)


def facts(seen: Seen) -> dict[str, object]:
    """Return a run as data: its page, what it does, its jobs, and whom it waits for."""
    run = seen.run
    return {
        "workflow": seen.workflow,
        "url": run.url,
        "state": seen.state,
        "status": run.status,
        "conclusion": run.conclusion,
        "attempt": run.attempt,
        "commit": run.commit,
        "event": run.event,
        "started_by": run.actor,
        "jobs": [{name: getattr(job, name) for name in _TOLD} for job in seen.jobs],
        "waits_for": [
            {
                "environment": one.environment,
                "reviewers": list(one.reviewers),
                "since": one.since.isoformat() if one.since else None,
            }
            for one in seen.approvals
        ],
    }


def jobs_in_words(seen: Seen) -> str:
    """Return how far its jobs are, as it follows what the run does; empty if it has none yet."""
    told = [_doing(job) for job in seen.jobs]
    return f"; jobs: {', '.join(told)}" if told else ""


def told_whole(seen: Seen) -> str:
    """Return what a run does, who started it, and how far its jobs are."""
    by = f"; started by {seen.run.actor} ({seen.run.event})" if seen.run.actor else ""
    return f"{seen.state}{by}{jobs_in_words(seen)}"


def failure(release: Release, seen: Seen, remedy: str) -> StepError:
    """Return why a run failed: each job and step that did, its page, and the last lines of the first one's log."""
    bad = [job for job in seen.jobs if job.failed]
    # What was cancelled because another job failed is not the cause.
    causes = [job for job in bad if job.conclusion != "cancelled"] or bad
    if not causes:
        return StepError(f"{seen.workflow} {ended(seen.run.conclusion)}: {seen.run.url}", remedy)
    told = "; ".join(f"{_place(job)} ({job.url})" for job in causes[:3])
    more = f"; and {len(causes) - 3} more" if len(causes) > 3 else ""
    message = f"{seen.workflow} {ended(seen.run.conclusion)} in {told}{more}"
    try:
        lines = _not_run(causes[0], seen) or release.forge.workflows.last_lines(causes[0], _LAST_LINES)
    except ServiceError as error:
        lines = [f"its log cannot be had: {error.message}"]
    redact = release.redactor()
    return StepError("\n".join([message, *(f"  | {redact(line)}" for line in lines)]), remedy)


def _not_run(job: Job, seen: Seen) -> list[str]:
    """Return why a job has no log; empty if a step of it ran."""
    if any(step.conclusion not in (None, "skipped") for step in job.steps):
        return []
    barred = f"a reviewer rejected it, its environment does not let {seen.run.branch} in, or no runner took it"
    return ["no step of it ran" + (f": {barred}; its page says which" if job.conclusion == "failure" else "")]


def ended(conclusion: str | None) -> str:
    """Return how a run or a job ended, as it follows its name."""
    return _WORDS.get(conclusion or "", f"ended with {conclusion}")


def note_changes(before: Seen | None, now: Seen) -> None:
    """Note each job that ended since a run was looked at before, and what the run does now if that changed."""
    note = current().note
    same = before is not None and before.run.attempt == now.run.attempt
    known = {job.id for job in before.jobs if job.status == "completed"} if before and same else set()
    for job in now.jobs:
        if job.status == "completed" and job.id not in known and (before or job.failed):
            note(f"{job.name} {_ended_after(job)}")
    if before is None or before.state != now.state:
        note(now.state)


def _ended_after(job: Job) -> str:
    if job.conclusion == "skipped":
        return "was skipped"
    how = "succeeded"
    if job.failed:
        how = ended(job.conclusion) + (f" at {step}" if (step := _failed_step(job)) else "")
    return how + ("" if job.seconds is None else f" after {job.seconds:.0f} s")


def _place(job: Job) -> str:
    step = _failed_step(job)
    return f"the job {job.name}" + (f" at its step {step}" if step else "")


def _failed_step(job: Job) -> str:
    step = next((one for one in job.steps if one.conclusion not in (None, "success", "skipped", "neutral")), None)
    return repr(_COMMIT.sub("", step.name)) if step else ""


def _doing(job: Job) -> str:
    if job.status == "completed":
        return f"{job.name} {'succeeded' if job.conclusion == 'success' else ended(job.conclusion)}"
    if job.status != "in_progress":
        return f"{job.name} {'waits' if job.status == 'waiting' else 'is queued'}"
    running = next((one for one in job.steps if one.status == "in_progress"), None)
    if running:
        return f"{job.name}: step {running.number} of {len(job.steps)}, {_COMMIT.sub('', running.name)}"
    past = sum(one.status == "completed" for one in job.steps)
    return f"{job.name}: {past} of {len(job.steps)} steps done" if past else f"{job.name} begins"


def _awaited(approval: Approval) -> str:
    since = f" since {approval.since:%Y-%m-%d %H:%M} UTC" if approval.since else ""
    return f"waits for {_whom(approval)}{since}"


def _whom(approval: Approval) -> str:
    if not approval.reviewers:
        return f"the environment {approval.environment}"
    return f"a reviewer of the environment {approval.environment} ({', '.join(approval.reviewers)})"


def _span(time: timedelta) -> str:
    minutes = max(0, int(time.total_seconds())) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
