"""Have the workflow that releases started: attach to its run, run failed jobs again, or start a new run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial

from releaser.adapters.forge.records import Run
from releaser.adapters.forge.workflow_file import FOLDER, parse_workflow
from releaser.adapters.waiting import wait_for
from releaser.adapters.where import CHOICES
from releaser.core.activity import current
from releaser.core.step import Conflict, Done, Outcome, Step, Todo
from releaser.errors import ConflictError, ServiceError, StepError
from releaser.release import Release
from releaser.steps.ci import runs

_RERUNS_FOR = timedelta(days=30)
"""How long after its start GitHub runs jobs of a run again."""


@dataclass(frozen=True)
class Attach:
    """A run of this version has not ended, or ended well: there is nothing to start."""

    run: Run


@dataclass(frozen=True)
class Rerun:
    """The newest run failed, and its failed jobs can go on."""

    run: Run


@dataclass(frozen=True)
class Fresh:
    """There is no run that could go on; `why` says what became of the newest."""

    why: str = ""


@dataclass(frozen=True)
class Published:
    """The release is published, and no run of it is known: a person made it."""

    url: str


@dataclass(frozen=True)
class Stuck:
    """No run can go on from what is public, or is no longer; `remedy` says what can."""

    why: str
    remedy: str


Move = Attach | Rerun | Fresh | Published | Stuck


def for_jobs(release: Release) -> list[str]:
    """Return the choices that jobs of the workflow are to be told, as its input `choose` has them."""
    return [f"{step}={release.choices[step]}" for step in CHOICES if step in release.choices]


def told(release: Release, run: Run) -> bool:
    """Return whether a run was started with these choices: its title has them, and they cannot be added later."""
    return set(for_jobs(release)) <= set(run.title.split())


def next_move(release: Release) -> Move:
    """Return what brings the release on; ask once in a survey or a phase.

    Failed jobs run again at the commit that their run began with. So a run goes on as long as the branch is there, and
    once the tag is out, which no new run could make again. Otherwise the branch has a fix, with which a new run begins.
    A run whose jobs GitHub cannot run again is replaced by a new one; that makes the same bytes with the same tools.

    Raises:
        ServiceError: The forge or the remote did not answer.
    """
    return current().answers.once(("next move", release.version), lambda: _next_move(release))


def _next_move(release: Release) -> Move:
    found = runs.dispatched_runs(release)
    if not found:
        published = release.forge.find_release(release.tag)
        return Published(published.url) if published and not published.draft else Fresh()
    run, config = found[0], release.config.git
    choice = release.choices.get(DispatchRelease.name)
    if not run.ended:
        return Attach(run)
    tag = release.git.remote_tag(config.remote, release.tag)
    if run.conclusion == "success":
        return Attach(run) if tag else _gone(release, run, again=choice == "new")
    failed = f"{release.config.release_workflow} {runs.ended(run.conclusion)} at {run.commit[:12]} ({run.url})"
    branch = release.git.remote_branch(config.remote, config.branch)
    if choice is None and tag is None and branch != run.commit:
        return Fresh(f"{failed}, and {config.branch} has moved since")
    lost = _why_not_again(release, run)
    if choice != "new" and not lost:
        return Rerun(run)
    if tag and branch != tag.commit:
        why = f"{failed}{lost}; {release.tag} is at {tag.commit[:12]}, and {config.branch} has moved on"
        return Stuck(why, _price(release) if lost else f"Leave out `--choose {DispatchRelease.name}=new`.")
    return Fresh(f"{failed}{lost}; a new run builds and tests everything again")


def _gone(release: Release, run: Run, *, again: bool) -> Move:
    """Return what brings a version on whose run succeeded, and whose tag was deleted since."""
    gone = f"{release.config.release_workflow} succeeded ({run.url}), and {release.tag} is not at "
    gone += f"{release.config.git.remote} any more"
    if again:
        return Fresh(gone)
    return Stuck(
        gone,
        f"Add `--choose {DispatchRelease.name}=new` if `invoke rollback` took it back, which starts a new run. "
        "Otherwise find out who deleted it.",
    )


def _price(release: Release) -> str:
    following = release.version.bump(release.version.stage or "patch")
    return (
        f"Run `invoke rollback --version {release.version}`, which takes back what is public, and release {following}."
    )


def _why_not_again(release: Release, run: Run) -> str:
    """Return why a run's failed jobs cannot go on, as it follows how the run ended; empty if they can."""
    if not told(release, run):
        return ", and a run takes a choice only when it is started"
    if run.created and datetime.now(timezone.utc) - run.created > _RERUNS_FOR:
        return f", and GitHub runs its jobs again for {_RERUNS_FOR.days} days only"
    held = release.forge.workflows.artifacts(run)
    if held is None or any(not one.expired for one in held):
        return ""
    if held:
        return f", and its artifact {', '.join(one.name for one in held)} has expired"
    text = release.git.file(release.git.head(), f"{FOLDER}/{release.config.release_workflow}") or "jobs: {}"
    uploads = any("/upload-artifact@" in action for job in parse_workflow("", text).jobs for action in job.actions)
    if uploads and any(job.conclusion == "success" for job in release.forge.workflows.jobs(run)):
        return ", and what its first job built is not kept any more"
    return ""


class DispatchRelease(Step[Release]):
    """The workflow that releases runs for this version, or has. It is never started twice."""

    name = "dispatch_release"
    title = "Workflow that releases started"
    choices = ("rerun", "new")

    def check(self, release: Release) -> Outcome:
        """Look for its runs, here and on any other machine: GitHub lists them."""
        move, workflow = next_move(release), release.config.release_workflow
        if isinstance(move, Published):
            return Done(f"{move.url} is published, and no run of {workflow} is known")
        if isinstance(move, Stuck):
            return Conflict(move.why, move.remedy)
        if isinstance(move, Attach) and not move.run.ended and not told(release, move.run):
            return Conflict(
                f"{move.run.url} runs, and was started without {' '.join(for_jobs(release))}",
                "Cancel it on its page, then rerun the command; or leave the choice out to follow it.",
            )
        if isinstance(move, Attach):
            how = "succeeded" if move.run.ended else f"is {move.run.status.replace('_', ' ')}"
            return Done(f"{workflow} {how}: {move.run.url}")
        if isinstance(move, Rerun):
            how = runs.ended(move.run.conclusion)
            return Todo(
                f"run the failed jobs of {move.run.url} again, which {how} (`--choose {self.name}=new` instead)"
            )
        branch, head = release.config.git.branch, release.git.head()
        after = "".join(f", {one}" for one in for_jobs(release)) + (f"; {move.why}" if move.why else "")
        return Todo(f"dispatch {workflow} at {branch} ({head[:12]}){after}")

    def run(self, release: Release) -> None:
        """Start it, and wait until GitHub lists the run.

        Raises:
            ConflictError: The branch has moved since it was checked.
            ServiceError: GitHub does not start it.
        """
        move = next_move(release)
        if isinstance(move, Rerun):
            self._again(release, move.run)
        elif isinstance(move, Fresh):
            self._dispatch(release)
        current().answers.forget()

    def verify(self, release: Release) -> Outcome:
        """Look for the run that was started; that it may have failed already is for the step that follows it."""
        found = runs.dispatched_runs(release)
        return Done(f"{release.config.release_workflow} was started: {found[0].url}") if found else self.check(release)

    def _again(self, release: Release, run: Run) -> None:
        try:
            release.forge.workflows.rerun_failed(run)
        except ServiceError as error:
            # GitHub runs jobs again for 30 days, and keeps what they hand on as long as the repository's settings say.
            raise StepError(
                error.message,
                f"{error.remedy} Or add `--choose {self.name}=new`, which starts a new run: that builds and tests "
                "everything again, and what is on TestPyPI stays as it is.",
            ) from error
        release.journal.write("dispatched", run=run.id, url=run.url, attempt=run.attempt + 1)

        def begun() -> bool:
            now = release.forge.workflows.run(run.id)
            return not now.ended or now.attempt > run.attempt

        wait_for("the forge", f"another attempt of {run.url}", begun, release.wait_limits)

    def _dispatch(self, release: Release) -> None:
        config, workflow = release.config.git, release.config.release_workflow
        head, there = release.git.head(), release.git.remote_branch(config.remote, config.branch)
        if head != there:
            raise ConflictError(
                f"{config.remote}/{config.branch} has moved to {str(there)[:12]} since {head[:12]} was checked; "
                "nothing was started",
                f"Run `git pull --ff-only {config.remote} {config.branch}`, then rerun the command.",
            )
        listed = partial(release.forge.workflows.runs, workflow)
        before = {one.id for one in listed()}
        # Written first: where the answer is lost, the run's title tells the next command what it is.
        release.journal.write("dispatching", workflow=workflow, ref=config.branch, commit=head)
        words = for_jobs(release)
        inputs = {"version": str(release.version), **({"choose": " ".join(words)} if words else {})}
        number = release.forge.workflows.dispatch(workflow, config.branch, inputs)

        def run() -> Run | None:
            found = (one for one in listed() if one.id == number or (number is None and one.id not in before))
            return next(found, None)

        wait_for("the forge", f"a run of {workflow}", lambda: run() is not None, release.wait_limits)
        started = run()
        if started is None:
            return
        release.journal.write("dispatched", run=started.id, url=started.url, attempt=started.attempt)
        if started.commit != head:
            release.forge.workflows.cancel(started)
            raise ConflictError(
                f"{workflow} was started at {started.commit[:12]}, and {head[:12]} was checked: {config.branch} moved "
                f"in between; the run {started.url} was cancelled",
                f"Run `git pull --ff-only {config.remote} {config.branch}`, then rerun the command.",
            )


class BeforeDispatch(Step[Release]):
    """A step that only matters as long as the workflow is still to be started.

    Args:
        inner: The step.
        in_job: Whether a job makes it as well: it knows of no `--skip`, and would fail when others have passed.
    """

    def __init__(self, inner: Step[Release], *, in_job: bool = False) -> None:
        self.inner = inner
        self.name, self.title, self.skippable = inner.name, inner.title, inner.skippable and not in_job
        self.essential, self.choices = inner.essential, inner.choices

    def check(self, release: Release) -> Outcome:
        """Ask what the step asks, unless the workflow has begun: then the checkout and the branch may have moved on.

        Raises:
            ServiceError: The workflow was started from here, and the forge does not tell what became of it.
        """
        try:
            move = next_move(release)
        except ServiceError:
            if release.store.chain.newest("dispatching"):
                raise
            return self.inner.check(release)  # That the forge fails is said by the steps that need it.
        if isinstance(move, Attach | Rerun):
            return Done(f"{release.config.release_workflow} has begun with {move.run.commit[:12]}")
        if isinstance(move, Published):
            return Done(f"{release.tag} is published")
        if isinstance(move, Stuck):
            return Done(move.why)
        return self.inner.check(release)

    def run(self, release: Release) -> None:
        """Do what the step does."""
        self.inner.run(release)
