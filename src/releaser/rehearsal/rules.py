"""The rulesets of a rehearsal, in GitHub's form: the forge lists them, and the git remote enforces them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from releaser.adapters.forge.patterns import concerns, expression

Ruleset = Mapping[str, Any]

# What GitHub answers to a push, by the type of the rule. The others let a rehearsal's pushes through.
REFUSALS = {
    "pull_request": "Changes must be made through a pull request.",
    "update": "Cannot update this protected ref.",
    "creation": "Cannot create ref due to creations being restricted.",
}


DEFAULT_BRANCH = "main"
PROTECTED = "Pull requests only"


def protected(branch: str) -> Ruleset:
    """Return the ruleset of a branch that takes changes only through pull requests."""
    parameters = {
        "dismiss_stale_reviews_on_push": False,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_approving_review_count": 1,
        "required_review_thread_resolution": False,
    }
    return {
        "id": 1,
        "name": PROTECTED,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/heads/{branch}"], "exclude": []}},
        "rules": [{"type": "pull_request", "parameters": parameters}],
    }


def is_about(ruleset: Ruleset, ref: str) -> bool:
    """Return whether a ruleset's conditions include a ref, by its full name."""
    names = ruleset["conditions"]["ref_name"]
    return concerns(ref, names["include"], names["exclude"], DEFAULT_BRANCH)


def script(rulesets: Iterable[Ruleset]) -> str:
    """Return shell lines for a pre-receive hook, within its loop over `old new ref`; `$zero` is no commit."""
    lines = []
    for ruleset in rulesets:
        if ruleset.get("enforcement", "active") != "active":
            continue
        folder = "refs/tags/.*" if ruleset["target"] == "tag" else "refs/heads/.*"
        names = ruleset["conditions"]["ref_name"]
        asked = [_fits([folder]), _fits(_expressions(names["include"]))]
        asked += [f"! {_fits(_expressions(names['exclude']))}"] if names["exclude"] else []
        for rule in ruleset["rules"]:
            if rule["type"] in REFUSALS:
                lines += _refusal(" && ".join(asked), rule["type"])
    return "\n".join(lines)


def _expressions(patterns: Iterable[str]) -> list[str]:
    return [expression(one, DEFAULT_BRANCH) for one in patterns]


def _fits(expressions: Iterable[str]) -> str:
    """Return a shell command that succeeds if one of the expressions fits all of `$ref`."""
    words = " ".join(f"-e {shlex.quote(one)}" for one in expressions)
    return f"printf '%s\\n' \"$ref\" | grep -qxE {words}" if words else "false"


def _refusal(asked: str, kind: str) -> list[str]:
    new = "=" if kind == "creation" else "!="
    return [
        f'  if [ "$old" {new} "$zero" ] && {asked}; then',
        '    echo "error: GH013: Repository rule violations found for $ref." >&2',
        f"    echo {shlex.quote(f'- {REFUSALS[kind]}')} >&2; exit 1",
        "  fi",
    ]
