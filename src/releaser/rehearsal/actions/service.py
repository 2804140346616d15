"""GitHub Actions for one repository: events start runs, and runs can be cancelled, approved and re-run.

It lives in the loop of the forge's stand-in, and keeps its runs in the forge's records (``workflow_runs``). A run that
had not ended when the stand-in did goes on when it is started again: its jobs that had passed are kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from releaser.rehearsal.actions.environments import rules_of
from releaser.rehearsal.actions.groups import Groups
from releaser.rehearsal.actions.jobs import Machines, finish
from releaser.rehearsal.actions.programs import ProgramStoppedError
from releaser.rehearsal.actions.reading.check import parsed
from releaser.rehearsal.actions.reading.document import WorkflowError
from releaser.rehearsal.actions.reading.expressions import State, as_text, filled
from releaser.rehearsal.actions.reading.triggers import DispatchError, Event, inputs_of, starts
from releaser.rehearsal.actions.reading.workflow import Workflow
from releaser.rehearsal.actions.runs import Control, RunRunner, forget_failed
from releaser.rehearsal.actions.setting import Caller, Record, Records, Setting
from releaser.rehearsal.actions.sources import FOLDER, Sources
from releaser.rehearsal.actions.steps import now
from releaser.rehearsal.actions.tokens import JobTokens

PUSHED = "pushed.log"
"""What the remote's hook writes in its directory: who pushed, the old and the new commit, the reference."""
_LOOK_S = 0.2
_NOTHING = re.compile(r"0+")


class Actions:
    """The service.

    Args:
        setting: What does not change.
        records: The forge's state.
    """

    def __init__(self, setting: Setting, records: Records) -> None:
        self.tokens = JobTokens(setting.key)
        self._setting = setting
        self._sources = Sources(setting.git_dir)
        self._records = records
        self._machines = Machines(setting, records, self.tokens)
        self._groups = Groups()
        self._controls: dict[int, Control] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Go on with the runs that had not ended, and look for pushes."""
        records = self._records.state
        records.setdefault("pushes_seen", 0)
        for run in records["workflow_runs"]:
            if "jobs" in run and run["status"] != "completed":
                self._again(run)
        self._keep(asyncio.create_task(self._look_for_pushes()))

    async def end(self) -> None:
        """End every job's programs, and let the runs be as they are."""
        self._machines.programs.end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # What starts runs

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, Any], caller: Caller) -> int:
        """Start a workflow by hand; return the run's number.

        Args:
            workflow: Its file's name.
            ref: A branch or tag, by its short or its full name.
            inputs: What it is given.
            caller: Who starts it.

        Raises:
            DispatchError: GitHub would refuse it.
        """
        full = self._sources.full_name(ref)
        if self._sources.text(f"refs/heads/{self._setting.branch}", workflow) is None:
            raise DispatchError(404, "Not Found")
        if full is None:
            raise DispatchError(422, f"No ref found for: {ref}")
        sha = self._sources.sha(full) or ""
        text = self._sources.text(sha, workflow)
        if text is None:
            raise DispatchError(422, "Workflow does not exist at this ref")
        try:
            declared = parsed(workflow, text)
        except WorkflowError as error:
            raise DispatchError(422, f"Failed to parse workflow: {error.message}") from None
        given = inputs_of(declared, inputs)
        payload = {"inputs": given, "ref": full, "workflow": f"{FOLDER}{workflow}"}
        event = Event("workflow_dispatch", full, sha, caller.login or "", given, payload)
        return self._start(workflow, event)

    def pushed(self, ref: str, old: str, new: str, caller: Caller) -> None:
        """Start what a push starts; what a workflow's own token pushed starts nothing."""
        if not caller.is_person or _NOTHING.fullmatch(new):
            return
        payload = {"ref": ref, "before": old, "after": new}
        self._happened(Event("push", ref, self._sources.sha(new) or new, caller.login or "", payload=payload))

    def published(self, release: Record, caller: Caller) -> None:
        """Start what a published release starts; one that a workflow's own token published starts nothing."""
        if not caller.is_person:
            return
        ref = f"refs/tags/{release['tag_name']}"
        shown = ("id", "tag_name", "name", "body", "draft", "prerelease")
        payload = {"action": "published", "release": {key: release[key] for key in shown}}
        self._happened(Event("release", ref, self._sources.sha(ref) or "", caller.login or "", payload=payload))

    # What is done to runs

    def cancel(self, number: int) -> None:
        """Cancel a run that goes on."""
        if control := self._controls.get(number):
            control.cancel()

    def rerun_failed(self, number: int) -> None:
        """Run again what did not pass, and what needs it; outputs and artifacts of the rest are kept.

        Raises:
            DispatchError: The run goes on.
        """
        run = self._run(number)
        if run["status"] != "completed":
            raise DispatchError(403, "This workflow is already running")
        self._again(run)

    def review(self, number: int, environment: str, caller: Caller, *, approved: bool) -> None:
        """Let a run use an environment, or reject it.

        Raises:
            DispatchError: The run does not wait for it, or the caller is no reviewer of it.
        """
        run = self._run(number)
        if environment not in [one["environment"] for one in run["pending"]]:
            raise DispatchError(422, "There are no pending deployment requests to approve or reject")
        if refusal := rules_of(self._records.world, environment).refusal(caller.login or "", run["actor"]):
            raise DispatchError(403, refusal)
        control = self._controls[number]
        if not approved:
            control.rejected.add(environment)
        control.reviewed[environment].set()

    def _again(self, run: Record) -> None:
        text = self._sources.text(run["head_sha"], run["workflow"])
        run["run_attempt"] += 1
        workflow = parsed(run["workflow"], text or "")
        for job in run["jobs"]:
            if job["status"] != "completed":
                finish(job, "cancelled")
        forget_failed(run, workflow)
        run.update(status="queued", conclusion=None, pending=[], updated_at=now())
        event = Event(run["event"], run["ref"], run["head_sha"], run["actor"], run["inputs"], run["payload"])
        self._carry_out(run, workflow, event)

    def _happened(self, event: Event) -> None:
        for name in self._sources.names(event.sha):
            try:
                workflow = parsed(name, self._sources.text(event.sha, name) or "")
            except WorkflowError as error:
                self._start(name, event, problem=error.message)
                continue
            if starts(workflow, event):
                self._start(name, event)

    def _start(self, name: str, event: Event, problem: str | None = None) -> int:
        """Record a run, and carry it out if it is one of those that a rehearsal carries out."""
        runs = self._records.state["workflow_runs"]
        number: int = max([self._records.new_id(), *(one["id"] + 1 for one in runs)])
        run: Record = {
            "id": number,
            "workflow": name,
            "name": name,
            "display_title": name,
            "event": event.name,
            "ref": event.ref,
            "head_sha": event.sha,
            "head_branch": re.sub(r"^refs/(heads|tags)/", "", event.ref),
            "status": "queued",
            "conclusion": None,
            "run_attempt": 1,
            "run_number": 1 + sum(one["workflow"] == name for one in runs),
            "created_at": now(),
            "updated_at": now(),
            "actor": event.actor,
            "inputs": dict(event.inputs),
            "payload": dict(event.payload),
            "jobs": [],
            "pending": [],
        }
        runs.append(run)
        carried = self._setting.carried
        if problem is not None:
            run.update(status="completed", conclusion="startup_failure", problem=problem)
        elif carried is not None and name not in carried:
            why = self._setting.left_out.get(name, "A rehearsal does not carry it out")
            run.update(status="completed", conclusion="skipped", problem=why)
        else:
            workflow = parsed(name, self._sources.text(event.sha, name) or "")
            run["name"] = run["display_title"] = workflow.name or name
            if workflow.run_name:
                contexts = {"github": self._context(run, workflow, event), "inputs": dict(event.inputs)}
                run["display_title"] = as_text(filled(workflow.run_name, State(contexts)))
            self._carry_out(run, workflow, event)
        self._records.commit()
        return number

    def _carry_out(self, run: Record, workflow: Workflow, event: Event) -> None:
        control = self._controls[run["id"]] = Control()

        async def carry_out() -> None:
            try:
                while self._setting.address() is None:  # noqa: ASYNC110  another process writes it
                    await asyncio.sleep(_LOOK_S)
                contexts = {"github": self._context(run, workflow, event), "inputs": dict(event.inputs)}
                runner = RunRunner(
                    run, workflow, contexts, self._records, self._machines, self._groups, control, self._setting.at_once
                )
                with suppress(ProgramStoppedError):
                    await runner.carry_out()
            finally:
                self._controls.pop(run["id"], None)
                if run["status"] != "completed" and not self._machines.programs.stopping.is_set():
                    run.update(status="completed", conclusion="failure", problem="The runner failed")
                    self._records.commit()

        self._keep(asyncio.create_task(carry_out()))

    def _context(self, run: Record, workflow: Workflow, event: Event) -> Record:
        address, repository = self._setting.address() or "", self._setting.repository
        owner, _, name = repository.partition("/")
        about = {"full_name": repository, "name": name, "default_branch": self._setting.branch}
        return {
            "actor": event.actor,
            "api_url": address,
            "event": {**event.payload, "repository": {**about, "owner": {"login": owner}}},
            "event_name": event.name,
            "ref": event.ref,
            "ref_name": run["head_branch"],
            "ref_type": "tag" if event.ref.startswith("refs/tags/") else "branch",
            "repository": repository,
            "repository_owner": owner,
            "run_attempt": str(run["run_attempt"]),
            "run_id": str(run["id"]),
            "run_number": str(run["run_number"]),
            "server_url": address,
            "sha": event.sha,
            "workflow": workflow.name or f"{FOLDER}{run['workflow']}",
            "workflow_ref": f"{repository}/{FOLDER}{run['workflow']}@{event.ref}",
            "workflow_sha": event.sha,
        }

    async def _look_for_pushes(self) -> None:
        """Take each line that the remote's hook wrote: pushes by a path come from a person, others are marked."""
        log = self._setting.git_dir / PUSHED
        while True:
            lines = log.read_text("utf-8").splitlines() if log.exists() else []
            for line in lines[self._records.state["pushes_seen"] :]:
                who, old, new, ref = line.split(" ", 3)
                self._records.state["pushes_seen"] += 1
                self.pushed(ref, old, new, Pusher(None if who == "-" else who))
                self._records.commit()
            await asyncio.sleep(_LOOK_S)

    def _run(self, number: int) -> Record:
        runs: list[Record] = self._records.state["workflow_runs"]
        found = next((run for run in runs if run["id"] == number and "jobs" in run), None)
        if found is None:
            raise DispatchError(404, "Not Found")
        return found

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Pusher:
    """Who pushed, as the remote's hook noted it: "bot" is a workflow's own token."""

    def __init__(self, login: str | None) -> None:
        self.is_person = login != "bot"
        self.login = login or "releaser"
