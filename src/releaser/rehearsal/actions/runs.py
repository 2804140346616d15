"""One run: its jobs in the order of their needs, each in its variants, with approvals, groups, and what is kept."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from releaser.rehearsal.actions.environments import rules_of
from releaser.rehearsal.actions.groups import Groups, ReplacedError
from releaser.rehearsal.actions.jobs import Machines, Ordered, finish, new_record
from releaser.rehearsal.actions.reading.expressions import State, as_text, condition, filled, is_true
from releaser.rehearsal.actions.reading.workflow import Job, Workflow
from releaser.rehearsal.actions.setting import Record, Records
from releaser.rehearsal.actions.steps import now


@dataclass
class Control:
    """What others have to do with a run while it goes on.

    Attributes:
        stop: Set when it is cancelled.
        reviewed: Set for each environment that was approved or rejected; what it was is in `rejected`.
        rejected: The environments that a reviewer rejected.
        stops: What ends each job that runs, but for those that run though the run is cancelled.
        leaves: What takes the run, or a job of it, out of a group in which it waits.
    """

    stop: threading.Event = field(default_factory=threading.Event)
    reviewed: dict[str, asyncio.Event] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    stops: list[threading.Event] = field(default_factory=list)
    leaves: list[Callable[[], None]] = field(default_factory=list)

    def cancel(self) -> None:
        """End it."""
        for stop in (self.stop, *self.stops):
            stop.set()
        for review in self.reviewed.values():
            review.set()
        for leave in self.leaves:
            leave()


class RunRunner:
    """Carries one run out.

    Args:
        run: Its record; jobs that it holds as successful are kept.
        workflow: Its workflow.
        contexts: `github` and `inputs`.
        records: The forge's state.
        machines: Where jobs run.
        groups: The concurrency groups.
        control: What others do.
        at_once: How many of its jobs run at the same time. (Jobs of other runs may be what one waits for.)
    """

    def __init__(
        self,
        run: Record,
        workflow: Workflow,
        contexts: Mapping[str, Any],
        records: Records,
        machines: Machines,
        groups: Groups,
        control: Control,
        at_once: int,
    ) -> None:
        self._run = run
        self._workflow = workflow
        self._contexts = contexts
        self._records = records
        self._machines = machines
        self._groups = groups
        self._control = control
        self._places = asyncio.Semaphore(at_once)
        self._results: dict[str, Record] = {}

    async def carry_out(self) -> None:
        """Run every job; the run's record says how that ended."""
        group, cancels = _group(self._workflow, self._contexts)
        if self._control.stop.is_set():
            self._end("cancelled")
            return
        if self._groups.is_taken(group):
            self._change(status="pending")
        try:
            async with self._groups.turn(group, self._control.cancel, self._control.leaves, cancels=cancels):
                self._change(status="in_progress")
                await self._jobs()
        except ReplacedError:
            self._end("cancelled")
            return
        results = [one["result"] for one in self._results.values()]
        worst = next((one for one in ("failure", "cancelled") if one in results), "success")
        skipped = bool(results) and all(one == "skipped" for one in results)
        self._end("cancelled" if self._control.stop.is_set() else "skipped" if skipped else worst)

    async def _jobs(self) -> None:
        waiting = dict(self._workflow.jobs)
        running: dict[asyncio.Task[Record], str] = {}
        try:
            while waiting or running:
                for name in [name for name, job in waiting.items() if self._results.keys() >= set(job.needs)]:
                    running[asyncio.ensure_future(self._job(name, waiting.pop(name)))] = name
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._results[running.pop(task)] = task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _job(self, name: str, job: Job) -> Record:
        """Run a job in all its variants; return its result and outputs."""
        contexts = {**self._contexts, "needs": {needed: self._results[needed] for needed in job.needs}}
        before = [self._results[one]["result"] for one in _needs(self._workflow, name)]
        passed, failed = all(one == "success" for one in before), "failure" in before
        wanted = condition(True if job.if_ is None else job.if_).evaluate
        variants = _variants(job)
        kept = [self._kept(name, variant) for variant in variants]
        # GitHub asks a job's condition again when its run is cancelled: `always()` and `cancelled()` let it go on.
        anyway = is_true(wanted(State(contexts, success=False, failure=failed, cancelled=True)))
        if not (anyway if self._control.stop.is_set() else is_true(wanted(State(contexts, passed, failed)))):
            result = "cancelled" if self._control.stop.is_set() else "skipped"
            for variant in variants[:1]:
                finish(self._listed(name, job, variant, contexts), result)
            self._records.commit()
            return {"result": result, "outputs": {}}
        fresh = [self._listed(name, job, one, contexts) for one, there in zip(variants, kept, strict=True) if not there]
        stops = [threading.Event() for _ in fresh]
        self._control.stops += [] if anyway else stops
        limit = asyncio.Semaphore((job.strategy and job.strategy.max_parallel) or len(variants))
        tasks = [
            asyncio.ensure_future(self._variant(job, record, contexts, stop, limit))
            for record, stop in zip(fresh, stops, strict=True)
        ]
        try:
            for task in asyncio.as_completed(tasks):
                if await task != "success" and job.strategy and job.strategy.fail_fast:
                    for stop in stops:
                        stop.set()
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        records = [*filter(None, kept), *fresh]
        conclusions = [one["conclusion"] for one in records]
        worst = next((one for one in ("failure", "cancelled", "skipped") if one in conclusions), "success")
        outputs = {key: value for one in records for key, value in one["outputs"].items() if value}
        return {"result": worst, "outputs": outputs}

    async def _variant(
        self, job: Job, record: Record, contexts: Mapping[str, Any], stop: threading.Event, limit: asyncio.Semaphore
    ) -> str:
        contexts = {**contexts, "matrix": record["matrix"]}
        group = as_text(filled(job.concurrency.group, State(contexts))) if job.concurrency else None
        cancels = bool(job.concurrency and job.concurrency.cancel_in_progress is True)
        async with limit:
            try:
                if stop.is_set() or not await self._approved(record):
                    finish(record, "cancelled" if stop.is_set() or self._control.stop.is_set() else "failure")
                    return str(record["conclusion"])
                async with self._groups.turn(group, stop.set, self._control.leaves, cancels=cancels), self._places:
                    if stop.is_set():
                        finish(record, "cancelled")
                        return "cancelled"
                    await self._machines.carry_out(
                        Ordered(self._workflow, job, self._run, record, contexts, stop, self._control.cancel)
                    )
            except ReplacedError:
                finish(record, "cancelled")
            finally:
                self._records.commit()
        return str(record["conclusion"])

    async def _approved(self, record: Record) -> bool:
        """Wait for a reviewer where the job's environment has some; return whether the job may go on."""
        name = record.get("environment")
        rules = rules_of(self._records.world, name) if name else None
        if name is None or rules is None or not rules.reviewers or not rules.lets(self._run["ref"]):
            return True
        event = self._control.reviewed.setdefault(name, asyncio.Event())
        if self._control.stop.is_set() or event.is_set():
            return name not in self._control.rejected
        record["status"] = "waiting"
        if name not in [one["environment"] for one in self._run["pending"]]:
            one = {"environment": name, "reviewers": list(rules.reviewers), "since": now()}
            self._run["pending"].append(one)
        self._change(status="waiting")
        try:
            await asyncio.wait_for(event.wait(), rules.approve_after)
        except asyncio.TimeoutError:
            event.set()
            record["approved_by"] = rules.reviewers[0]
        if self._control.reviewed.get(name) is event:  # a later job of this environment waits again
            del self._control.reviewed[name]
        self._run["pending"] = [one for one in self._run["pending"] if one["environment"] != name]
        record["status"] = "queued"
        self._change(status="waiting" if self._run["pending"] else "in_progress")
        return name not in self._control.rejected and not self._control.stop.is_set()

    def _kept(self, name: str, matrix: Record) -> Record | None:
        """Return a job's record of an earlier attempt that passed."""
        there = (one for one in self._run["jobs"] if one["job"] == name and one["matrix"] == matrix)
        return next((one for one in there if one["conclusion"] == "success"), None)

    def _listed(self, name: str, job: Job, matrix: Record, contexts: Mapping[str, Any]) -> Record:
        shown = as_text(filled(job.name, State({**contexts, "matrix": matrix}))) if job.name else name
        if matrix and not (job.name and "matrix." in job.name):
            shown += f" ({', '.join(as_text(value) for value in matrix.values())})"
        record = new_record(self._records.new_id(), name, shown, matrix, job, self._workflow.granted(job))
        record["run_attempt"] = self._run["run_attempt"]
        if job.environment:
            record["environment"] = as_text(filled(job.environment.name, State({**contexts, "matrix": matrix})))
        self._run["jobs"].append(record)
        self._records.commit()
        return record

    def _end(self, conclusion: str) -> None:
        self._change(status="completed", conclusion=conclusion, pending=[])

    def _change(self, **what: Any) -> None:
        self._run.update(what, updated_at=now())
        self._records.commit()


def forget_failed(run: Record, workflow: Workflow) -> None:
    """Take out of a run's record each job that did not pass, and each that needs one of those."""
    failed = {one["job"] for one in run["jobs"] if one["conclusion"] not in ("success", "skipped")}
    after = {name for name in workflow.jobs if failed & set(_needs(workflow, name))}
    run["jobs"] = [one for one in run["jobs"] if one["conclusion"] == "success" and one["job"] not in after]


def _needs(workflow: Workflow, name: str) -> list[str]:
    """Return all jobs that must be over before a job, not only those that it names."""
    found: dict[str, None] = {}
    waiting: list[str] = list(workflow.jobs[name].needs)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = None
            waiting += workflow.jobs[one].needs
    return list(found)


def _group(workflow: Workflow, contexts: Mapping[str, Any]) -> tuple[str | None, bool]:
    if workflow.concurrency is None:
        return None, False
    state = State(contexts)
    return as_text(filled(workflow.concurrency.group, state)), is_true(
        filled(workflow.concurrency.cancel_in_progress, state)
    )


def _variants(job: Job) -> list[Record]:
    """Return the variants of a job, as GitHub combines a matrix; one without values where there is none."""
    if job.strategy is None:
        return [{}]
    matrix = dict(job.strategy.matrix)
    included: Sequence[Any] = matrix.pop("include", ())
    original = [dict(zip(matrix, one, strict=True)) for one in itertools.product(*matrix.values())] if matrix else []
    found = [dict(one) for one in original]
    for more in included:
        fits = [at for at, one in enumerate(original) if all(one[key] == more[key] for key in one.keys() & more.keys())]
        for at in fits:
            found[at].update(more)
        if not fits:
            found.append(dict(more))
    return found
