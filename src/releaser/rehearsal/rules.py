"""The rulesets of a rehearsal, in GitHub's form: the forge lists them, and the git remote enforces them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

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


def script(rulesets: Iterable[Ruleset]) -> str:
    """Return shell lines for a pre-receive hook, within its loop over `old new ref`; `$zero` is no commit."""
    lines = []
    for ruleset in rulesets:
        if ruleset.get("enforcement", "active") != "active":
            continue
        names = ruleset["conditions"]["ref_name"]
        patterns = "|".join(_pattern(one, ruleset["target"]) for one in names["include"])
        for rule in ruleset["rules"]:
            if rule["type"] in REFUSALS:
                lines += _refusal(patterns, rule["type"])
    return "\n".join(lines)


def named(pattern: str, target: str) -> str:
    """Return the pattern of full ref names that GitHub's `~ALL` and `~DEFAULT_BRANCH` stand for; others as they are."""
    everything = "refs/tags/*" if target == "tag" else "refs/heads/*"
    return {"~ALL": everything, "~DEFAULT_BRANCH": f"refs/heads/{DEFAULT_BRANCH}"}.get(pattern, pattern)


def _pattern(pattern: str, target: str) -> str:
    text = named(pattern, target)
    return "*".join(shlex.quote(part) if part else "" for part in text.split("*"))


def _refusal(patterns: str, kind: str) -> list[str]:
    new = "=" if kind == "creation" else "!="
    return [
        f'  case "$ref" in {patterns})',
        f'    if [ "$old" {new} "$zero" ]; then',
        '      echo "error: GH013: Repository rule violations found for $ref." >&2',
        f"      echo {shlex.quote(f'- {REFUSALS[kind]}')} >&2; exit 1",
        "    fi ;;",
        "  esac",
    ]
