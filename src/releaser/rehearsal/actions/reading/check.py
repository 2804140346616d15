"""Whether a workflow can be carried out here: every construct is known, or refused by name and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from releaser.rehearsal.actions.reading import document, inputs
from releaser.rehearsal.actions.reading.document import Document, Path, WorkflowError
from releaser.rehearsal.actions.reading.expressions import STATUS, Expression, ExpressionError, condition, embedded
from releaser.rehearsal.actions.reading.workflow import RUNNERS, SCOPES, Job, Step, Workflow

GITHUB = frozenset(
    {
        *("actor", "event", "event_name", "job", "ref", "ref_name", "ref_type", "repository", "repository_owner"),
        *("run_attempt", "run_id", "run_number", "server_url", "api_url", "sha", "token", "workflow", "workflow_ref"),
        *("workflow_sha", "workspace"),
    }
)
"""The properties of `github` that a job has here."""
_NEEDED = re.compile(r"result|outputs\..+")


def parsed(name: str, text: str) -> Workflow:
    """Return a workflow that can be carried out.

    Raises:
        WorkflowError: It cannot: each problem by name and line.
    """
    found = document.read(name, text)
    try:
        workflow = Workflow.model_validate(found.value)
    except ValidationError as error:
        raise WorkflowError(name, [_problem(found, dict(one)) for one in error.errors()]) from None
    check = _Check(found, workflow)
    check.everything()
    if check.problems:
        raise WorkflowError(name, check.problems)
    return workflow


def _problem(found: Document, error: Mapping[str, Any]) -> tuple[int, str]:
    # Of a union, pydantic names the member as a part of the path.
    path = tuple(error["loc"])
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    if error["type"] == "extra_forbidden":
        return found.line(path), f"`{name}` is not carried out"
    return found.line(path), f"`{name}`: {str(error['msg']).removeprefix('Value error, ')}"


class _Check:
    """Collects problems.

    Args:
        found: The file.
        workflow: What it declares.
    """

    def __init__(self, found: Document, workflow: Workflow) -> None:
        self.problems: list[tuple[int, str]] = []
        self._found = found
        self._workflow = workflow
        dispatch = workflow.on.workflow_dispatch
        self._inputs = set(dispatch.inputs) if dispatch else set()

    def everything(self) -> None:
        workflow = self._workflow
        self._permissions((), workflow.permissions)
        if workflow.permissions is None and any(job.permissions is None for job in workflow.jobs.values()):
            self._say((), "`permissions` are missing: what a token may do would depend on the repository's settings")
        anywhere = {"github", "inputs"}
        self._text(("run-name",), workflow.run_name, anywhere)
        self._texts(("env",), workflow.env.values(), anywhere)
        if workflow.concurrency:
            self._text(("concurrency",), workflow.concurrency.group, anywhere)
            self._text(("concurrency", "cancel-in-progress"), workflow.concurrency.cancel_in_progress, anywhere)
        for name, job in workflow.jobs.items():
            self._job(name, job)
        self._order()

    def _job(self, name: str, job: Job) -> None:
        at: Path = ("jobs", name)
        self._permissions(at, job.permissions)
        for needed in job.needs:
            if needed not in self._workflow.jobs:
                self._say((*at, "needs"), f"there is no job `{needed}`")
        if "${{" not in job.runs_on and job.runs_on not in RUNNERS:
            self._say((*at, "runs-on"), f"the runner `{job.runs_on}` is not carried out")
        before = {"github", "inputs", "needs", "matrix"}
        for part in (job.runs_on, job.name):
            self._text(at, part, before, job)
        self._condition((*at, "if"), job.if_, {"github", "inputs", "needs"}, job)
        self._texts((*at, "env"), job.env.values(), before, job)
        if job.environment:
            self._text((*at, "environment"), job.environment.name, before, job)
            self._text((*at, "environment"), job.environment.url, {*before, "env", "steps"}, job)
        if job.concurrency:
            self._text((*at, "concurrency"), job.concurrency.group, before, job)
        within = {*before, "env", "steps", "runner"}
        for number, step in enumerate(job.steps):
            self._step((*at, "steps", number), step, job, within)
        for output, text in job.outputs.items():
            self._text((*at, "outputs", output), text, within, job)

    def _step(self, at: Path, step: Step, job: Job, within: set[str]) -> None:
        self._condition((*at, "if"), step.if_, within, job)
        self._text((*at, "run"), step.run, within, job)
        self._text((*at, "name"), step.name, within, job)
        self._texts((*at, "env"), step.env.values(), within, job)
        self._texts((*at, "with"), step.with_.values(), within, job)
        self._text((*at, "working-directory"), step.working_directory, within, job)
        if step.uses is not None:
            for key, what in inputs.problems(step.uses, step.with_, self._workflow.granted(job)):
                self._say((*at, "with", key) if key else (*at, "uses"), what)

    def _permissions(self, at: Path, given: Mapping[str, str] | None) -> None:
        for scope in given or {}:
            if scope not in SCOPES:
                self._say((*at, "permissions", scope), f"there is no permission `{scope}`")

    def _texts(self, at: Path, texts: Iterable[object], contexts: set[str], job: Job | None = None) -> None:
        for text in texts:
            self._text(at, text, contexts, job)

    def _text(self, at: Path, text: object, contexts: set[str], job: Job | None = None) -> None:
        if isinstance(text, str):
            self._try(at, lambda: embedded(text), contexts, job, status=False)

    def _condition(self, at: Path, text: str | bool | None, contexts: set[str], job: Job) -> None:
        if text is not None:
            self._try(at, lambda: [condition(text)], contexts, job, status=True)

    def _try(
        self, at: Path, parse: Callable[[], list[Expression]], contexts: set[str], job: Job | None, *, status: bool
    ) -> None:
        try:
            for expression in parse():
                if not status and (functions := expression.functions & set(STATUS)):
                    self._say(at, f"`{min(functions)}()` belongs into an `if`")
                for name in sorted(expression.names):
                    if what := self._unknown(name, contexts, job):
                        self._say(at, what)
        except ExpressionError as error:
            self._say(at, str(error))

    def _unknown(self, name: tuple[str, ...], contexts: set[str], job: Job | None) -> str | None:
        """Return what is wrong with a property; None if a job has it there."""
        root, first = name[0], name[1]
        written = f"`{'.'.join(name)}`"
        if root not in contexts:
            return f"{written} is not known there"
        known: Mapping[str, Iterable[str]] = {
            "github": GITHUB,
            "inputs": self._inputs,
            "needs": job.needs if job else (),
            "matrix": _matrix_keys(job),
            "steps": [step.id for step in job.steps if step.id] if job else (),
            "runner": ("temp", "os", "arch"),
        }
        if root in known and first not in known[root]:
            return f"{written} is not known there"
        if root == "needs" and not _NEEDED.fullmatch(".".join(name[2:])):
            return f"{written} is not carried out"
        if root == "needs" and name[2] == "outputs" and name[3] not in self._workflow.jobs[first].outputs:
            return f"the job `{first}` has no output `{name[3]}`"
        return None

    def _order(self) -> None:
        waiting = dict(self._workflow.jobs)
        # A job that does not exist is refused by its name; those that need it do not wait in a circle.
        known = {needed for job in waiting.values() for needed in job.needs if needed not in waiting}
        while ready := [name for name, job in waiting.items() if known.issuperset(job.needs)]:
            known.update(ready)
            waiting = {name: job for name, job in waiting.items() if name not in ready}
        for name in waiting:
            self._say(("jobs", name, "needs"), f"the job `{name}` waits for itself")

    def _say(self, at: Path, what: str) -> None:
        self.problems.append((self._found.line(at), what))


def _matrix_keys(job: Job | None) -> set[str]:
    if job is None or job.strategy is None:
        return set()
    matrix = job.strategy.matrix
    included = {key for one in matrix.get("include", ()) if isinstance(one, Mapping) for key in one}
    return {key for key in matrix if key != "include"} | included
