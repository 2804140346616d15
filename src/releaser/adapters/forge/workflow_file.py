"""A workflow's file: what starts it, its jobs, and what each may do, where it runs and which actions it uses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from releaser.errors import UsageError

FOLDER = Path(".github", "workflows")
_EVERYTHING = {"write-all": {"*": "write"}, "read-all": {"*": "read"}}
_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")


@dataclass(frozen=True)
class Job:
    """One job.

    Attributes:
        name: What GitHub shows.
        environment: The deployment environment that it must be let into; None if it has none.
        permissions: What its token may do: scopes with `read` or `write`.
        runners: The labels of the machines that it may run on.
        actions: The actions that it uses, with their commit.
        commands: Its `run` lines.
    """

    name: str
    environment: str | None
    permissions: Mapping[str, str]
    runners: tuple[str, ...]
    actions: tuple[str, ...]
    commands: str

    def may_write(self, scope: str) -> bool:
        """Return whether its token may write that."""
        return "write" in (self.permissions.get(scope), self.permissions.get("*"))


@dataclass(frozen=True)
class WorkflowFile:
    """One file.

    Attributes:
        name: The file's name.
        triggers: Its events, with what limits them.
        jobs: Its jobs, in their order.
        run_name: The form of its runs' titles; empty where GitHub chooses them.
    """

    name: str
    triggers: Mapping[str, Any]
    jobs: tuple[Job, ...]
    run_name: str = ""

    @property
    def inputs(self) -> Collection[str]:
        """The names of the inputs of a dispatch."""
        dispatch = self.triggers.get("workflow_dispatch")
        return (dispatch.get("inputs") or {}) if isinstance(dispatch, Mapping) else ()

    @property
    def starts_at_tags(self) -> bool:
        """Whether an event starts it at a tag."""
        push = self.triggers.get("push")
        return "release" in self.triggers or (isinstance(push, Mapping) and "tags" in push)

    def patterns(self, event: str, limit: str) -> tuple[str, ...]:
        """Return the patterns that limit an event, such as `tags` of `push`; empty if nothing does."""
        limits = self.triggers.get(event)
        listed = limits.get(limit) if isinstance(limits, Mapping) else None
        return (listed,) if isinstance(listed, str) else tuple(map(str, listed or ()))

    @property
    def uploaders(self) -> tuple[Job, ...]:
        """The jobs that can prove their identity; only those with an environment, if some have one."""
        able = tuple(job for job in self.jobs if job.may_write("id-token"))
        return tuple(job for job in able if job.environment) or able


def read_workflows(root: Path) -> dict[str, WorkflowFile]:
    """Return the workflows of a checkout by the names of their files.

    Raises:
        UsageError: A file is no workflow.
    """
    folder = root / FOLDER
    files = sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")])
    return {file.name: parse_workflow(file.name, file.read_bytes()) for file in files}


def parse_workflow(name: str, content: bytes | str) -> WorkflowFile:
    """Return the workflow that a file holds.

    Raises:
        UsageError: It is no workflow.
    """
    try:
        document = yaml.safe_load(content)
        # YAML 1.1 takes the word `on` for a truth value.
        triggers = _named(document.get("on", document.get(True)))
        jobs = tuple(_job(key, job, document.get("permissions")) for key, job in document["jobs"].items())
    except (yaml.YAMLError, ValueError, AttributeError, KeyError, TypeError) as error:
        why = " ".join(str(error).split())
        raise UsageError(f"{FOLDER / name} is no workflow: {why}", "Correct the file.") from None
    return WorkflowFile(name, triggers, jobs, str(document.get("run-name", "")))


def _job(key: str, job: Mapping[str, Any], inherited: object) -> Job:
    environment = job.get("environment")
    steps = job.get("steps", ())
    return Job(
        name=str(job.get("name", key)),
        environment=str(environment["name"] if isinstance(environment, Mapping) else environment)
        if environment
        else None,
        permissions=_permissions(job.get("permissions", inherited)),
        runners=tuple(_runners(job)),
        actions=tuple(str(step["uses"]) for step in steps if "uses" in step),
        commands="\n".join(str(step["run"]) for step in steps if "run" in step),
    )


def _permissions(said: object) -> Mapping[str, str]:
    """Return scopes; what says nothing has what the repository's settings say, which may be everything."""
    if said is None:
        return {"*": "write"}
    if isinstance(said, str):
        return _EVERYTHING[said]
    return {str(scope): str(level) for scope, level in dict(said or {}).items()}  # type: ignore[call-overload]


def _runners(job: Mapping[str, Any]) -> Iterator[str]:
    labels = job.get("runs-on", ())
    for label in [labels] if isinstance(labels, str) else labels:
        if found := _MATRIX.fullmatch(label):
            matrix = job["strategy"]["matrix"]
            rows = [row for row in matrix.get("include", ()) if found[1] in row]
            yield from (*matrix.get(found[1], ()), *(row[found[1]] for row in rows))
        else:
            yield label


def _named(events: object) -> Mapping[str, Any]:
    if isinstance(events, str):
        return {events: None}
    return dict(events) if isinstance(events, Mapping) else dict.fromkeys(events)  # type: ignore[call-overload]
