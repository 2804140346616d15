"""One job: its environment's rules, its token, its machine, its steps, and what stays of it."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from releaser.rehearsal.actions.artifacts import Artifacts
from releaser.rehearsal.actions.environments import rules_of
from releaser.rehearsal.actions.programs import Programs
from releaser.rehearsal.actions.python import Pythons, tools_of
from releaser.rehearsal.actions.reading.expressions import State, as_text, filled
from releaser.rehearsal.actions.reading.workflow import RUNNERS, Job, Workflow
from releaser.rehearsal.actions.setting import Mishap, Record, Records, Setting
from releaser.rehearsal.actions.standins import JobRun
from releaser.rehearsal.actions.steps import RunnerLostError, Steps, now
from releaser.rehearsal.actions.tokens import JobToken, JobTokens
from releaser.rehearsal.actions.workspace import Log, Workspace
from releaser.rehearsal.identity import claims_of_job
from releaser.rehearsal.registry import engine

_MINUTE_S = 60.0


@dataclass
class Ordered:
    """A job that is to run.

    Attributes:
        workflow: Its workflow.
        job: What the workflow says of it.
        run: The run's record.
        record: Its own record.
        contexts: What its expressions read.
        stop: Cancels it.
        cancel: Cancels its run.
    """

    workflow: Workflow
    job: Job
    run: Record
    record: Record
    contexts: Mapping[str, Any]
    stop: threading.Event
    cancel: Callable[[], None]


class Machines:
    """Where jobs run.

    Args:
        setting: What does not change.
        records: The forge's state.
        tokens: The tokens of jobs.
    """

    def __init__(self, setting: Setting, records: Records, tokens: JobTokens) -> None:
        self.programs = Programs()
        self._setting = setting
        self._records = records
        self._tokens = tokens
        self._artifacts = Artifacts(records.world / "artifacts")
        self._pythons = Pythons(records.world / "tools", setting.pythons)
        # What a stand-in left that was killed.
        for home in (records.world / "jobs").glob("*/home") if setting.with_engine else ():
            engine.sweep(home)
        shutil.rmtree(records.world / "jobs", ignore_errors=True)

    async def carry_out(self, ordered: Ordered) -> None:
        """Run a job to its end; its record says how that was.

        Raises:
            ProgramStoppedError: The stand-in stops.
        """
        record, job = ordered.record, ordered.job
        log = Log(self.log_path(record["id"]))
        token: JobToken | None = None
        workspace: Workspace | None = None
        conclusion = "failure"
        try:
            state = State(ordered.contexts)
            name = as_text(filled(job.environment.name, state)) if job.environment else None
            if name and not rules_of(self._records.world, name).lets(ordered.run["ref"]):
                kind = "Tag" if ordered.run["ref"].startswith("refs/tags/") else "Branch"
                log.line(
                    f'##[error]{kind} "{ordered.run["head_branch"]}" is not allowed to deploy to {name} '
                    "due to environment protection rules."
                )
                return
            permissions = ordered.workflow.granted(job)
            context = {**ordered.contexts["github"], "job": record["job"]}
            token = self._tokens.issue(permissions, self._claims(ordered.run, name))
            log.hide(token.token, token.identity_token)
            workspace = Workspace(self._records.world / "jobs" / str(record["id"]), self._setting.repository)
            steps = self._steps(ordered, context, token, workspace, log)
            record.update(status="in_progress", started_at=now())
            record["steps"][0].update(_ended("success"))
            self._records.commit()
            log.line(f"GITHUB_TOKEN Permissions: {json.dumps(permissions)}")
            conclusion = await self._run(steps, ordered, log)
        finally:
            log.close()
            if token:
                self._tokens.end(token)
                record["used"] = sorted(token.used)
            if workspace:
                if conclusion != "success" and ordered.run["workflow"] in self._setting.with_engine:
                    await asyncio.to_thread(engine.sweep, workspace.home)
                await asyncio.to_thread(workspace.remove)
            if not self.programs.stopping.is_set():
                finish(record, conclusion)
                self._records.commit()

    def log_path(self, job: int) -> Path:
        """Return where a job's log is."""
        return self._records.world / "logs" / f"{job}.txt"

    async def _run(self, steps: Steps, ordered: Ordered, log: Log) -> str:
        """Run the steps in a thread; return how they ended."""
        record = ordered.record
        try:
            await asyncio.to_thread(steps.carry_out)
            for name, value in steps.outputs().items():
                if log.hides(value):
                    log.line(f"##[warning]Skip output '{name}' since it may contain secret.")
                else:
                    record["outputs"][name] = value
        except RunnerLostError:
            log.line("##[error]The runner has received a shutdown signal.")
            return "failure"
        finally:
            if engine.made_builders(steps.run.workspace.root):
                steps.run.unproven.append(engine.UNPROVEN)
            record["unproven"] = list(dict.fromkeys(steps.run.unproven))
            record["subjects"] = steps.run.subjects
        return steps.conclusion

    def _steps(self, ordered: Ordered, context: Record, token: JobToken, workspace: Workspace, log: Log) -> Steps:
        record, loop = ordered.record, asyncio.get_running_loop()

        def changed(number: int, what: Record) -> None:
            async def change() -> None:
                record["steps"][number + 1].update(what)
                self._records.commit()

            asyncio.run_coroutine_threadsafe(change(), loop).result()

        context = {**context, "token": token.token, "workspace": str(workspace.work)}
        event = workspace.temp / "event.json"
        event.write_text(json.dumps(context["event"]), "utf-8")
        label = as_text(filled(ordered.job.runs_on, State(ordered.contexts)))
        variables = {**_variables(context, event), "RUNNER_OS": "Linux", "RUNNER_ARCH": RUNNERS.get(label, "X64")}
        if token.identity_token:
            variables["ACTIONS_ID_TOKEN_REQUEST_URL"] = f"{context['server_url']}/_actions/idtoken?api-version=2.0"
            variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = token.identity_token
        if self._setting.services:
            variables["RELEASER_SERVICES"] = str(self._setting.services)
        contexts = {**ordered.contexts, "github": context}
        state = State(contexts)
        env: dict[str, str] = {}
        for part in (ordered.workflow.env, ordered.job.env):
            env.update({name: as_text(filled(value, state)) for name, value in part.items()})
        arm = variables["RUNNER_ARCH"] == "ARM64"
        unproven = [f"{label}: it ran on this machine's own processor"] if arm else []
        if self._setting.services and json.loads(self._setting.services.read_bytes()).get("quick"):
            unproven.append("the sessions of tests: --quick left them out")
        if ordered.run["workflow"] in self._setting.with_engine:
            lent, programs = engine.lend(workspace.root, workspace.home)
            variables.update(lent)
            workspace.path.append(str(programs))
            unproven += [engine.EMULATED] if arm else []

        def program(command: Sequence[str | Path], more: Mapping[str, str], cwd: Path) -> int:
            return steps.program(command, more, cwd)

        run = JobRun(
            workspace,
            token,
            context,
            log,
            self._artifacts,
            self._pythons,
            tools_of(step.run or "" for step in ordered.job.steps),
            program,
            self._records.world,
            unproven,
        )
        deadline = time.monotonic() + ordered.job.timeout_minutes * _MINUTE_S

        def befalls(when: str, number: int) -> Mishap | None:
            return self._setting.befalls(self._records.world, ordered.run["workflow"], record["job"], when, number)

        def cancel() -> None:
            async def cancelling() -> None:
                ordered.cancel()

            asyncio.run_coroutine_threadsafe(cancelling(), loop).result()

        steps = Steps(
            run,
            ordered.job,
            {**contexts, "env": env},
            variables,
            self.programs,
            ordered.stop,
            deadline,
            changed,
            befalls,
            cancel,
        )
        return steps

    def _claims(self, run: Record, environment: str | None) -> dict[str, JsonValue]:
        return claims_of_job(
            self._setting.repository,
            run["workflow"],
            ref=run["ref"],
            sha=run["head_sha"],
            environment=environment,
            event=run["event"],
            run_id=run["id"],
            run_attempt=run["run_attempt"],
            actor=run["actor"],
        )


def new_record(number: int, job_id: str, name: str, matrix: Record, job: Job, permissions: Mapping[str, str]) -> Record:
    """Return the record of a job that has not begun."""
    titles = ["Set up job", *(step.title for step in job.steps), "Complete job"]
    return {
        "id": number,
        "job": job_id,
        "name": name,
        "matrix": matrix,
        "status": "queued",
        "conclusion": None,
        "created_at": now(),
        "started_at": None,
        "completed_at": None,
        "runs_on": job.runs_on,
        "permissions": dict(permissions),
        "used": [],
        "unproven": [],
        "subjects": {},
        "outputs": {},
        **({"environment": job.environment.name} if job.environment else {}),
        "steps": [
            {
                "number": at,
                "name": title,
                "status": "queued",
                "conclusion": None,
                "started_at": None,
                "completed_at": None,
            }
            for at, title in enumerate(titles, start=1)
        ],
    }


def finish(record: Record, conclusion: str) -> None:
    """Have a job be over, with every step that was not reached."""
    for step in record["steps"]:
        if step["status"] == "in_progress":
            step.update(_ended("cancelled" if conclusion == "cancelled" else "failure"))
        elif step["status"] != "completed":
            step.update(status="completed", conclusion="skipped")
    if conclusion in ("success", "failure") and record["started_at"]:
        record["steps"][-1].update(_ended("success"))
    record.update(status="completed", conclusion=conclusion, completed_at=now())


def _ended(conclusion: str) -> Record:
    return {"status": "completed", "conclusion": conclusion, "started_at": now(), "completed_at": now()}


def _variables(context: Mapping[str, Any], event: Path) -> dict[str, str]:
    names = (
        *("actor", "api_url", "event_name", "job", "ref", "ref_name", "ref_type", "repository", "repository_owner"),
        *("run_attempt", "run_id", "run_number", "server_url", "sha", "workflow", "workflow_ref", "workflow_sha"),
        "workspace",
    )
    return {**{f"GITHUB_{name.upper()}": as_text(context[name]) for name in names}, "GITHUB_EVENT_PATH": str(event)}
