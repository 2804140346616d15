"""A workflow's file, read as far as a release depends on it: what starts it, its inputs, what its jobs may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from releaser.errors import StepError


@dataclass(frozen=True)
class WorkflowFile:
    """A workflow's file.

    Attributes:
        name: Its name in the folder of workflows.
        document: What it holds.
    """

    name: str
    document: Mapping[str, Any]

    @classmethod
    def parse(cls, name: str, text: str) -> WorkflowFile:
        """Read a file's text.

        Raises:
            StepError: It is not YAML, or no workflow.
        """
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as error:
            where = getattr(error, "problem_mark", None)
            line = f", line {where.line + 1}" if where else ""
            raise StepError(f"{name} is not YAML{line}", "Correct the workflow's file.") from None
        if not isinstance(found, dict):
            raise StepError(f"{name} is no workflow: it holds no mapping", "Correct the workflow's file.")
        return cls(name, found)

    @property
    def triggers(self) -> dict[str, Any]:
        """What starts it, by event."""
        # YAML 1.1, which PyYAML reads, takes the key `on` for a truth value; GitHub reads YAML 1.2.
        on: Any = self.document.get("on", self.document.get(True))  # type: ignore[call-overload]
        if isinstance(on, str):
            return {on: None}
        return dict.fromkeys(on) if isinstance(on, list) else _mapping(on)

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs of a dispatch."""
        return _mapping(_mapping(self.triggers.get("workflow_dispatch")).get("inputs"))

    @property
    def run_name(self) -> str:
        """The form of its runs' titles; empty where GitHub chooses them."""
        return str(self.document.get("run-name", ""))

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Its jobs by name."""
        return {str(name): _mapping(job) for name, job in _mapping(self.document.get("jobs")).items()}

    def permissions(self, job: str) -> dict[str, str]:
        """Return what a job's token may do: its own permissions, else those of the whole file.

        What the file leaves to the repository's settings counts as nothing.
        """
        given = self.jobs[job].get("permissions", self.document.get("permissions"))
        if given in ("write-all", "read-all"):
            return {"all": str(given).partition("-")[0]}
        return {str(name): str(level) for name, level in _mapping(given).items()}

    def environment(self, job: str) -> str:
        """Return the environment that a job runs in; empty for none."""
        given = self.jobs[job].get("environment", "")
        return str(_mapping(given).get("name", "")) if isinstance(given, dict) else str(given)


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
