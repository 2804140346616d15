"""What was looked at and what was found, as a table for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from releaser.errors import ReleaserError, StepError, WaitTimeoutError
from releaser.secret import Redactor

Kind = Literal["right", "wrong", "warning", "unproven", "not asked", "none"]
"""`unproven` is what no service tells; `not asked` what one would tell that did not answer; `none` does not apply."""


@dataclass(frozen=True)
class Finding:
    """One fact that was looked at."""

    about: str
    name: str
    kind: Kind
    says: str
    remedy: str = ""


@dataclass
class Findings:
    """What was found about one subject."""

    about: str
    found: list[Finding] = field(default_factory=list)

    def right(self, name: str, says: str) -> None:
        """Add what is as it should be."""
        self._add(name, "right", says)

    def wrong(self, name: str, says: str, remedy: str) -> None:
        """Add what is not, and what to do."""
        self._add(name, "wrong", says, remedy)

    def warning(self, name: str, says: str, remedy: str) -> None:
        """Add what a person should know, and what to do."""
        self._add(name, "warning", says, remedy)

    def unproven(self, name: str, says: str, remedy: str = "") -> None:
        """Add what no service tells."""
        self._add(name, "unproven", says, remedy)

    def none(self, name: str, says: str) -> None:
        """Add what does not apply, and why."""
        self._add(name, "none", says)

    def not_asked(self, name: str, error: ReleaserError) -> None:
        """Add what could not be asked."""
        self._add(name, "not asked", error.message, error.remedy)

    def _add(self, name: str, kind: Kind, says: str, remedy: str = "") -> None:
        self.found.append(Finding(self.about, name, kind, says, remedy))


def table(found: Sequence[Finding], redact: Redactor) -> str:
    """Return every finding below its subject; remedies follow what is not right."""
    width = max((len(one.name) for one in found), default=0)
    lines = []
    for about in dict.fromkeys(one.about for one in found):
        lines.append(about)
        for one in (one for one in found if one.about == about):
            says = one.says.replace("\n", f"\n  {'':<11}{'':<{width}}  ")
            lines.append(f"  {one.kind:<9}  {one.name:<{width}}  {says}".rstrip())
            if one.remedy and one.kind not in ("right", "none"):
                lines.append(f"  {'':<9}  {'':<{width}}  -> {one.remedy}")
    return redact("\n".join(lines))


def as_json(found: Sequence[Finding], redact: Redactor, **facts: object) -> str:
    """Return the findings and some facts as a JSON document."""
    document = {"schema": 1, **facts, "outcome": outcome(found), "findings": [asdict(one) for one in found]}
    return redact(json.dumps(document, indent=2, ensure_ascii=False))


def outcome(found: Iterable[Finding]) -> Kind:
    """Return the worst of the findings that decide: wrong, not asked, or right."""
    kinds = {one.kind for one in found}
    worst: tuple[Kind, ...] = ("wrong", "not asked")
    return next((one for one in worst if one in kinds), "right")


def counted(found: Sequence[Finding]) -> str:
    """Return how many findings there are of each kind, in words."""
    kinds = [one.kind for one in found if one.kind != "none"]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "nothing to look at"


def refusal(found: Sequence[Finding], what: str) -> ReleaserError | None:
    """Return the error that ends a command whose findings are not right; None if they are."""
    bad = ", ".join(f"{one.about} {one.name}" for one in found if one.kind == "wrong")
    if bad:
        return StepError(f"{what}: wrong: {bad}", "Follow the remedies above, then rerun the command.")
    unasked = ", ".join(f"{one.about} {one.name}" for one in found if one.kind == "not asked")
    if unasked:
        return WaitTimeoutError(f"{what}: could not be asked: {unasked}", "Check the network, then rerun the command.")
    return None
