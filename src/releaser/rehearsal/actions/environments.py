"""The environments of a rehearsal's repository, as its settings have them: who may deploy from where, who must agree.

``settings.json`` of the forge's stand-in holds them by name: ``{"environments": {"release": {"branches": ["main"],
"tags": ["v*"], "reviewers": ["reviewer"], "prevent_self_review": true, "approve_after": 0.5}}}``. With
``approve_after`` the first reviewer agrees after so many seconds. An environment that is not there has no rules, as on
GitHub, which makes it when a job names it first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from releaser.adapters.forge.patterns import fits


class Rules(BaseModel):
    """The protection rules of an environment; no pattern at all lets every branch and tag deploy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    branches: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    reviewers: tuple[str, ...] = ()
    prevent_self_review: bool = True
    approve_after: float | None = None

    def lets(self, ref: str) -> bool:
        """Return whether a branch or tag may deploy, by its full name."""
        if self.branches is None and self.tags is None:
            return True
        kind, _, name = ref.removeprefix("refs/").partition("/")
        return fits(name, (self.tags if kind == "tags" else self.branches) or ())

    def refusal(self, reviewer: str, actor: str) -> str | None:
        """Return why a person may not approve; None if the person may."""
        if reviewer not in self.reviewers:
            return f"{reviewer} is not a required reviewer"
        if self.prevent_self_review and reviewer == actor:
            return f"{reviewer} started the run, and self-reviews are prevented"
        return None


def rules_of(world: Path, name: str) -> Rules:
    """Return the rules of an environment, read each time."""
    path = world / "settings.json"
    settings = json.loads(path.read_bytes()) if path.exists() else {}
    return Rules.model_validate(settings.get("environments", {}).get(name, {}))
