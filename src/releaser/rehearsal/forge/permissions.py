"""What a workflow's own token may do, route by route: what the job's `permissions` say, and nothing else."""

from __future__ import annotations

import re

from releaser.rehearsal.forge.tokens import Caller

_SCOPES = (
    (re.compile(r"/actions/runs/\d+/pending_deployments"), "deployments"),
    (re.compile(r"/actions/"), "actions"),
    (re.compile(r"/(releases|git|compare|branches|rules|rulesets)(/|$)"), "contents"),
    (re.compile(r"/(milestones|issues)(/|$)"), "issues"),
    (re.compile(r"/attestations(/|$)"), "attestations"),
)
_REPOSITORY = re.compile(r"^(/uploads)?/repos/[^/]+/[^/]+")
_READING = ("GET", "HEAD")


def refusal(caller: Caller, method: str, path: str) -> str | None:
    """Return the permission that a job's token lacks for a request; None if it may.

    What is public can be read by each token. What no permission lets be changed cannot be changed by any.
    """
    if caller.job is None:
        return None
    inner = _REPOSITORY.sub("", path)
    scope = next((scope for pattern, scope in _SCOPES if pattern.match(inner)), None)
    if method in _READING:
        if scope:
            caller.job.may(scope, "read")
        return None
    if scope is None:
        return "administration=write"
    return None if caller.job.may(scope, "write") else f"{scope}=write"
