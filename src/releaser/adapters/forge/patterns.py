"""GitHub's two kinds of patterns of branches and tags: those of workflow filters, and those of rules.

They differ: `**` crosses slashes in a filter, and in a rule only as whole segments; `?` makes what precedes it optional
in a filter, and is any one character in a rule; `!` excludes in a filter, and is an ordinary character in a rule.

Filters: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#filter-pattern-cheat-sheet
Rules: Ruby's `File.fnmatch` with `FNM_PATHNAME`, without backslashes and braces.
https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/creating-rulesets-for-a-repository#using-fnmatch-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

EVERYTHING = "~ALL"
DEFAULT_BRANCH = "~DEFAULT_BRANCH"

_FILTER_SIGNS = {"**": ".*", "*": "[^/]*", "?": "?", "+": "+"}
_SPECIAL = re.compile(r"[][(){}.*+?^$|\\]")


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether the patterns of a workflow's filter, in their order, include a branch or tag."""
    included = False
    for pattern in patterns:
        if re.fullmatch(_of_filter(pattern.removeprefix("!")), name):
            included = not pattern.startswith("!")
    return included


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Return whether one of an environment's patterns fits a branch or tag."""
    return any(re.fullmatch(expression(one), name) for one in patterns)


def concerns(ref: str, include: Iterable[str], exclude: Iterable[str], default_branch: str) -> bool:
    """Return whether the conditions of a ruleset include a ref.

    Args:
        ref: Its full name.
        include: Patterns of full names, `~ALL` or `~DEFAULT_BRANCH`.
        exclude: The same.
        default_branch: The repository's.
    """
    return any(re.fullmatch(expression(one, default_branch), ref) for one in include) and not any(
        re.fullmatch(expression(one, default_branch), ref) for one in exclude
    )


def expression(pattern: str, default_branch: str = "") -> str:
    """Return a rule's pattern as a regular expression for whole names, which `grep -E` understands as well."""
    if pattern == EVERYTHING:
        return ".*"
    if pattern == DEFAULT_BRANCH:
        return _literal(f"refs/heads/{default_branch}")
    # Any number of segments, and none; but only where a segment begins.
    parts = re.split(r"((?<![^/])(?:\*\*/)+|\*+|\?|\[[^]/]+\])", pattern)
    return "".join(_of_rule(part) for part in parts)


def _of_rule(part: str) -> str:
    if part.startswith("**/"):
        return "([^/]+/)*"
    if part.startswith("*"):
        return "[^/]*"
    if part.startswith("[") and part.endswith("]"):
        return f"[^/{part[2:]}" if part[1] in "!^" else part
    return "[^/]" if part == "?" else _literal(part)


def _of_filter(pattern: str) -> str:
    parts = re.split(r"(\*\*|\*|\?|\+|\[[^]]+\])", pattern)
    return "".join(part if part.startswith("[") else _FILTER_SIGNS.get(part) or _literal(part) for part in parts)


def _literal(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)
