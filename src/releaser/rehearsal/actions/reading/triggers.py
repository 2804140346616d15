"""Which event starts which workflow, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from releaser.adapters.forge.patterns import matches
from releaser.rehearsal.actions.reading.workflow import Input, Workflow


class DispatchError(Exception):
    """A dispatch that GitHub refuses, with its status and words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        name: GitHub's name of it.
        ref: The full name of the branch or tag that it is about.
        sha: Its commit.
        actor: Who did it.
        inputs: What a dispatch was given.
        payload: What GitHub says of it (`github.event`).
    """

    name: str
    ref: str
    sha: str
    actor: str
    inputs: Mapping[str, str | bool | float] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)


def starts(workflow: Workflow, event: Event) -> bool:
    """Return whether an event, other than a dispatch, starts a workflow."""
    if event.name == "release":
        return workflow.on.release is not None
    if event.name != "push" or workflow.on.push is None:
        return False
    push = workflow.on.push
    kind, _, name = event.ref.removeprefix("refs/").partition("/")
    asked, other = (push.tags, push.branches) if kind == "tags" else (push.branches, push.tags)
    return other is None if asked is None else matches(name, asked)


def inputs_of(workflow: Workflow, given: Mapping[str, Any]) -> dict[str, str | bool | float]:
    """Return a dispatch's inputs with defaults, each of its declared kind.

    Raises:
        DispatchError: The workflow is not dispatched, or the inputs are not those that it declares.
    """
    if workflow.on.workflow_dispatch is None:
        raise DispatchError(422, "Workflow does not have 'workflow_dispatch' trigger")
    declared = workflow.on.workflow_dispatch.inputs
    if unexpected := sorted(given.keys() - declared.keys()):
        raise DispatchError(422, f"Unexpected inputs provided: {unexpected}".replace("'", '"'))
    found: dict[str, str | bool | float] = {}
    for name, one in declared.items():
        value = given.get(name, one.default)
        if one.required and value in (None, ""):
            raise DispatchError(422, f"Required input '{name}' not provided")
        found[name] = _typed(name, one, value)
    return found


def _typed(name: str, declared: Input, value: Any) -> str | bool | float:
    text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    if declared.type == "boolean":
        if text not in ("true", "false", ""):
            raise DispatchError(422, f"Provided value '{text}' for input '{name}' is not a boolean")
        return text == "true"
    if declared.type == "choice" and text not in declared.options:
        raise DispatchError(422, f"Provided value '{text}' for input '{name}' not in the list of allowed values")
    if declared.type == "number":
        try:
            return float(text)
        except ValueError:
            raise DispatchError(422, f"Provided value '{text}' for input '{name}' is not a number") from None
    return text
