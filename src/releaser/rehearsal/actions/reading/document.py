"""Read a workflow's YAML: plain values, and the line of each.

Scalars follow YAML 1.2's core schema, as GitHub reads them: `on` is a word, and only `true` and `false` are booleans.
What could be read in two ways (a key twice, an anchor, a tag) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from releaser.errors import UsageError

Path = tuple[str | int, ...]
_NUMBER = re.compile(r"[-+]?(\d+|\d*\.\d+|\d+\.\d*)([eE][-+]?\d+)?")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


class WorkflowError(UsageError):
    """A workflow that cannot be carried out here: each problem with its lines."""

    def __init__(self, name: str, problems: Sequence[tuple[int, str]]) -> None:
        lines: dict[str, list[int]] = {}
        for line, what in sorted(set(problems)):
            lines.setdefault(what, []).append(line)
        said = [f"{_places(where)}: {what}" for what, where in lines.items()]
        super().__init__(
            f"{name}, {said[0]}" if len(said) == 1 else "\n- ".join((f"{name}:", *said)),
            "Correct the workflow; docs/rehearsal.md lists the constructs that a rehearsal carries out.",
        )
        self.problems = tuple(problems)


def _places(lines: Sequence[int]) -> str:
    return f"line{'s' if len(lines) > 1 else ''} {', '.join(map(str, lines))}"


@dataclass(frozen=True)
class Document:
    """What a file holds.

    Attributes:
        name: The file's name.
        value: Mappings, lists, text, numbers, booleans and None.
        lines: The line of each value, by its path; of a mapping's value, the line of its key.
    """

    name: str
    value: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Sequence[str | int]) -> int:
        """Return the line of a value, or of the nearest one around it."""
        known = tuple(path)
        while known and known not in self.lines:
            known = known[:-1]
        return self.lines.get(known, 1)


def read(name: str, text: str) -> Document:
    """Parse a file.

    Raises:
        WorkflowError: It is not YAML, or uses what could be read in two ways.
    """
    lines: dict[Path, int] = {}
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise WorkflowError(name, [(1, "anchors and aliases are not carried out")])
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise WorkflowError(name, [(line, f"it is not YAML: {error.problem}")]) from None
    except yaml.YAMLError as error:
        raise WorkflowError(name, [(1, f"it is not YAML: {error}")]) from None
    if root is None:
        raise WorkflowError(name, [(1, "it is empty")])
    return Document(name, _value(name, root, (), lines), lines)


def _value(name: str, node: yaml.Node, path: Path, lines: dict[Path, int]) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [_value(name, one, (*path, at), lines) for at, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise WorkflowError(name, [(line, "a key is not text")])
            if key.value in found:
                raise WorkflowError(name, [(line, f"`{key.value}` is there twice")])
            inner = (*path, key.value)
            lines[inner] = line
            found[key.value] = _value(name, value, inner, lines)
        return found
    return _scalar(node.value, plain=getattr(node, "style", None) is None)


def _scalar(text: str, *, plain: bool) -> str | int | float | bool | None:
    if not plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text):
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    return text
