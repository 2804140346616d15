"""What a row showed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .row import Row


@dataclass
class Outcome:
    """What a row showed.

    Attributes:
        row: The row.
        struck: How often the fault happened.
        first: How the run that met it ended: its exit code, or "killed".
        message: The error that it printed.
        final: The exit code of the same command again.
        differs: What is not as in an undisturbed world, by name.
        duplicates: What is there twice, or was sent with other bytes.
        losses: What an undisturbed world has and this one lacks.
        wrong: Why the row fails; empty: it holds.
    """

    row: Row
    struck: int = 0
    first: str = ""
    message: str = ""
    final: str = ""
    differs: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    wrong: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as the JSON file has it."""
        row, shown = self.row, {name: value for name, value in vars(self).items() if name != "row"}
        told = {"name": row.name, "kind": row.kind, "where": row.where, "what": row.what, "fault": row.fault}
        return {**told, "command": row.command, "begins": row.rung, "end": self.end, **shown}

    @property
    def end(self) -> str:
        """What the release came to in the end."""
        if self.wrong:
            return "failed"
        return "refused, nothing touched" if self.row.again == "refused" else "as undisturbed"
