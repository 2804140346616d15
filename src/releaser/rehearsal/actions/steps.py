"""The steps of one job, in a thread: each with its environment, its condition and its end."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from releaser.rehearsal.actions import standins
from releaser.rehearsal.actions.programs import Programs, ProgramStoppedError, ProgramTimeoutError
from releaser.rehearsal.actions.python import installs
from releaser.rehearsal.actions.reading.expressions import State, as_text, condition, filled, is_true
from releaser.rehearsal.actions.reading.workflow import Job, Step
from releaser.rehearsal.actions.setting import Mishap, Record
from releaser.rehearsal.actions.standins import JobRun, StepFailedError
from releaser.rehearsal.actions.workspace import CommandFileError

_MINUTE_S = 60.0
_AFTER_CANCEL_S = 5 * _MINUTE_S
"""What GitHub leaves to the steps that run in a job that was cancelled."""
_FAILED = "Process completed with exit code 1"
_BASH = ("bash", "-e")
_BASH_NAMED = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")


class RunnerLostError(Exception):
    """The machine of a job is gone."""


@dataclass
class Steps:
    """The steps of a job.

    Attributes:
        run: The job that runs.
        job: What the workflow says of it.
        contexts: What expressions read, but for what steps add.
        variables: The variables that every step has.
        programs: Starts programs.
        stop: Cancels the job.
        deadline: When it must have ended.
        changed: Takes a step's record, and what changes in it.
        befalls: Returns what is to happen before or after a step, by "before" or "after" and its number.
        cancel: Cancels the run.
    """

    run: JobRun
    job: Job
    contexts: Mapping[str, Any]
    variables: Mapping[str, str]
    programs: Programs
    stop: threading.Event
    deadline: float
    changed: Callable[[int, Record], None]
    befalls: Callable[[str, int], Mishap | None]
    cancel: Callable[[], None]
    results: dict[str, Record] = field(default_factory=dict)
    conclusion: str = "success"

    def carry_out(self) -> None:
        """Run one step after the other; once the job is cancelled, those whose condition holds all the same.

        Raises:
            ProgramStoppedError: The stand-in stops.
            RunnerLostError: Its machine was lost, as a fault wanted.
        """
        for number, step in enumerate(self.job.steps):
            fails = self._befallen("before", number + 1)
            self._notice_cancel()
            if not is_true(condition(True if step.if_ is None else step.if_).evaluate(self._state())):
                self.changed(number, {"status": "completed", "conclusion": "skipped"})
                self._note(step, "skipped", {})
                continue
            self.changed(number, {"status": "in_progress", "started_at": now()})
            outcome = self._one(step, fails=fails)
            if self._befallen("after", number + 1):
                self.run.log.line(f"##[error]{_FAILED}")
                self._note(step, outcome := "failure", {})
            self.changed(number, {"status": "completed", "conclusion": outcome, "completed_at": now()})
            self._notice_cancel()
            if outcome == "failure" and not step.continue_on_error and self.conclusion == "success":
                self.conclusion = "failure"

    def _befallen(self, when: str, number: int) -> bool:
        """Let happen what is to happen here; return whether the step is to fail.

        Raises:
            RunnerLostError: The machine is lost.
        """
        what = self.befalls(when, number)
        if what == "kill":
            raise RunnerLostError
        if what == "cancel":
            self.cancel()
        return what == "fail"

    def _notice_cancel(self) -> None:
        """Go over to what a cancelled job still does, if it was cancelled."""
        if self.stop.is_set() and self.conclusion != "cancelled":
            self._cancelled()

    def _cancelled(self) -> None:
        self.run.log.line("##[error]The operation was canceled.")
        self.conclusion, self.stop = "cancelled", threading.Event()
        self.deadline = time.monotonic() + _AFTER_CANCEL_S

    def outputs(self) -> dict[str, str]:
        """Return the job's outputs."""
        return {name: as_text(filled(text, self._state())) for name, text in self.job.outputs.items()}

    def _one(self, step: Step, *, fails: bool) -> str:
        """Run a step, or have it fail; return its outcome."""
        log, workspace = self.run.log, self.run.workspace
        log.line(f"##[group]{step.title}")
        state = self._state()
        env = {name: as_text(filled(value, state)) for name, value in step.env.items()}
        workspace.begin_step()
        outputs: dict[str, str] = {}
        failure: str | None = None
        ends_job = False
        try:
            if fails:
                failure = _FAILED
            elif step.uses:
                given = {name: as_text(filled(value, state)) for name, value in step.with_.items()}
                for name, value in given.items():
                    log.line(f"  {name}: {value}")
                log.line("##[endgroup]")
                standins.carry_out(step.uses, self.run, given)
            else:
                self._lines(step, env, state)
            outputs = workspace.end_step()
        except (StepFailedError, CommandFileError) as error:
            failure = str(error)
        except ProgramStoppedError:
            if self.programs.stopping.is_set():
                raise
            self._cancelled()
            ends_job = True
        except ProgramTimeoutError:
            if ends_job := time.monotonic() > self.deadline:
                minutes = f"{self.job.timeout_minutes:g}"
                log.line(f"##[error]The job has exceeded the maximum execution time of {minutes} minutes.")
                self._cancelled()
            else:
                failure = f"The action '{step.title}' has timed out"
        except OSError as error:
            failure = f"{error.filename or step.title}: {error.strerror or error}"
        if failure:
            log.line(f"##[error]{failure}")
        outcome = "cancelled" if ends_job else "failure" if failure else "success"
        self._note(step, outcome, outputs)
        return outcome

    def _lines(self, step: Step, env: Mapping[str, str], state: State) -> None:
        script = as_text(filled(step.run or "", state))
        for line in script.splitlines():
            self.run.log.line(line)
        self.run.log.line("##[endgroup]")
        shell = _BASH_NAMED if step.shell else _BASH
        limit = self.deadline
        if step.timeout_minutes:
            limit = min(limit, time.monotonic() + step.timeout_minutes * _MINUTE_S)
        cwd = self.run.workspace.work / as_text(filled(step.working_directory or ".", state))
        with tempfile.TemporaryDirectory(dir=self.run.workspace.temp) as folder:
            path = Path(folder, "script.sh")
            path.write_text(script, "utf-8")
            status = self.program([*shell, path], env, cwd, limit)
        if status:
            raise StepFailedError(f"Process completed with exit code {status}")
        if installs(script) and self.run.interpreter:
            self.run.pythons.keep(self.run.interpreter, self.run.tools, self.run.workspace.root / "python")

    def program(
        self, command: Sequence[str | Path], env: Mapping[str, str], cwd: Path, until: float | None = None
    ) -> int:
        """Run a program as this job; return its exit status."""
        state = self._state()
        every = {**self.variables, **{name: as_text(value) for name, value in state.contexts["env"].items()}, **env}
        return self.programs.run(
            command,
            cwd=cwd,
            env=self.run.workspace.environment(every),
            take=self.run.log.line,
            stop=self.stop,
            until=self.deadline if until is None else until,
        )

    def _state(self) -> State:
        env = {**self.contexts["env"], **self.run.workspace.env}
        runner = {"temp": str(self.run.workspace.temp), "os": "Linux", "arch": self.variables["RUNNER_ARCH"]}
        contexts = {**self.contexts, "env": env, "steps": self.results, "runner": runner}
        how = self.conclusion
        return State(contexts, success=how == "success", failure=how == "failure", cancelled=how == "cancelled")

    def _note(self, step: Step, outcome: str, outputs: Mapping[str, str]) -> None:
        if step.id:
            conclusion = "success" if step.continue_on_error and outcome == "failure" else outcome
            self.results[step.id] = {"outputs": dict(outputs), "outcome": outcome, "conclusion": conclusion}


def now() -> str:
    """Return the time as GitHub's API writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
