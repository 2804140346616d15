"""Follow a workflow's run until it has ended, or until what it is for is there. Where none was started, start one.

The four states read differently, at once: no run was started, it is queued or waits for a reviewer, it runs, it failed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from releaser.adapters.forge.records import Run
from releaser.core.activity import current
from releaser.errors import ServiceError, StepError, WaitTimeoutError
from releaser.release import Release
from releaser.steps.ci import runs
from releaser.steps.ci.runs import Seen

_ERRORS_IN_A_ROW = 3
_GRACE_S = 60.0
"""How long GitHub may take to start a run after what starts it."""
_GRACE_OF_APPS_S = 10.0
"""The same where what the token does may start none."""


@dataclass
class Watch:
    """One wait: what is looked at, how often, and until when.

    Attributes:
        release: Of which release.
        workflow: The workflow's file name.
        patience: Seconds without any change after which to give up; time in which a person or another run
            is awaited, or a job runs, does not count.
        seen: What was seen last.
    """

    release: Release
    workflow: str
    patience: float
    seen: Seen | None = None
    _changed: float = field(init=False)
    _delay: float = field(init=False)
    _errors: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._changed = current().clock.now()
        self._delay = self.release.config.wait.first_delay

    def look(self, run: Run) -> Seen:
        """Look at a run; note what changed, and show what it does.

        Raises:
            ServiceError: GitHub refused, or did not respond.
        """
        now = runs.look(self.release, self.workflow, run)
        if now != self.seen:
            runs.note_changes(self.seen, now)
            # What runs is asked often again, so that each step shows while it runs.
            self._changed, self._delay = current().clock.now(), self.release.config.wait.first_delay
        self.seen = now
        if not now.run.ended:
            current().tell(now.details, *now.counted)  # what the run does as a whole was noted
        return now

    def tolerate(self, error: ServiceError) -> None:
        """Let a look fail twice in a row.

        Raises:
            ServiceError: The third time.
        """
        self._errors += 1
        if self._errors == _ERRORS_IN_A_ROW:
            raise error

    def pause(self, lacks: str, remedy: str) -> None:
        """Wait for the next look.

        Args:
            lacks: What is not there yet, for the error.
            remedy: How to go on after that error.

        Raises:
            WaitTimeoutError: Nothing has changed for too long.
        """
        activity = current()
        # GitHub ends a wait for an environment after 30 days, and a job at its timeout-minutes, or after 6 hours.
        if self.seen and (self.seen.waits_for_environment or self.seen.waits_for_turn or self.seen.has_running_job):
            self._changed = activity.clock.now()
        waited = activity.clock.now() - self._changed
        if waited >= self.patience:
            raise WaitTimeoutError(f"{lacks} after {self.patience:.0f} s without any change", remedy)
        activity.sleep(min(self._delay, self.patience - waited))
        self._delay = min(self._delay * 2, self.release.config.wait.longest_delay)

    def looked(self) -> None:
        """Forget errors: a look succeeded."""
        self._errors = 0


def follow(release: Release, workflow: str, run: Run) -> Seen:
    """Follow a run until it has ended; return how.

    Raises:
        WaitTimeoutError: Nothing about it changed for as long as a release waits for anything.
        ServiceError: GitHub failed three times in a row.
        InterruptedRunError: The run was stopped.
    """
    watch = Watch(release, workflow, release.config.wait.timeout)
    while True:
        try:
            seen = watch.look(run)
            watch.looked()
            if seen.run.ended:
                return seen
        except ServiceError as error:
            watch.tolerate(error)
        state = watch.seen.state if watch.seen else f"{workflow} {run.status}"
        watch.pause(state, f"Run `invoke watch --version {release.version}` to follow it again; it goes on meanwhile.")


def await_effect(release: Release, workflow: str, what: str, is_there: Callable[[], bool], step: str) -> None:
    """Wait until what a workflow of the published release makes is there; start the workflow if nothing else does.

    Args:
        release: The release.
        workflow: The workflow's file name.
        what: What is to be there, as it precedes "is not shown" in a message.
        is_there: Asks for it.
        step: The step that waits, whose choice `rerun` runs failed jobs again.

    Raises:
        StepError: The run failed, or none was started and none can be.
        WaitTimeoutError: Nothing changed for as long as a release waits for anything.
        ServiceError: A service failed three times in a row.
    """
    watch, started = Watch(release, workflow, release.config.wait.timeout), Start(release, workflow)
    may_rerun, retried = release.choices.get(step) == "rerun", 0
    remedy = (
        f"Fix the cause and rerun the command with `--choose {step}=rerun`, which runs the failed jobs again; or start "
        "the workflow on its page, then rerun the command."
    )
    while True:
        try:
            if is_there():
                return
            found = runs.runs_of(release, workflow)
            state = started.waiting(found)
            if found:
                seen = watch.look(found[0])
                if seen.failed and may_rerun:
                    release.forge.workflows.rerun_failed(seen.run)
                    may_rerun, retried = False, seen.run.attempt
                elif seen.failed and seen.run.attempt > retried:  # the next attempt shows late
                    raise runs.failure(release, seen, remedy)
                state = seen.state
            watch.looked()
        except ServiceError as error:
            watch.tolerate(error)
            state = error.message
        if watch.seen is None or watch.seen.run.ended:
            current().tell(f"waiting for {what}: {state}")
        watch.pause(
            f"{what} is not shown ({state})", "Rerun the command to continue waiting. Completed steps are not repeated."
        )


@dataclass
class Start:
    """Whether a run was started, and starting one where nothing else did.

    Attributes:
        release: Of which release.
        workflow: The workflow's file name.
    """

    release: Release
    workflow: str
    _since: float = field(init=False)
    _dispatched: bool = field(default=False, init=False)
    _noted: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._since = current().clock.now()

    def waiting(self, found: list[Run]) -> str:
        """Return what is known of the start; start the workflow when it is over due.

        Raises:
            StepError: It cannot be started.
        """
        if found:
            return ""
        activity, by_app = current(), self.release.forge.workflows.starts_nothing
        why = self._why()
        if not self._noted:
            activity.note(f"no run of {self.workflow} was started for {self.release.tag}{why}")
            self._noted = True
        grace = min(_GRACE_OF_APPS_S if by_app else _GRACE_S, self.release.config.wait.timeout / 2)
        if self._dispatched or activity.clock.now() - self._since < grace:
            return f"no run of {self.workflow} was started yet"
        self.dispatch(why)
        return f"{self.workflow} was dispatched at {self.release.tag}"

    def dispatch(self, why: str) -> None:
        """Start the workflow at the tag.

        Raises:
            StepError: GitHub does not start it.
        """
        version = str(self.release.version)
        try:
            self.release.forge.workflows.dispatch(self.workflow, self.release.tag, {"version": version})
        except ServiceError as error:
            raise StepError(
                f"No run of {self.workflow} was started for {self.release.tag}{why}, and it cannot be started from "
                f"here: {error.message}",
                f"{error.remedy} Or start {self.workflow} by hand on its Actions page, with the version {version}; "
                "then rerun the command.",
            ) from error
        self._dispatched = True
        current().note(f"{self.workflow} was dispatched at {self.release.tag}, because nothing else started it")

    def _why(self) -> str:
        if not self.release.forge.workflows.starts_nothing:
            return ""
        variable = self.release.config.forge.token_env
        return (
            f": the token in {variable} is an app's (ghs_...), and GitHub starts no workflow by what a workflow's own "
            "token does, except by a dispatch"
        )
