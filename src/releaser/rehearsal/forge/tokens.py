"""Who is asking the rehearsal's GitHub, and what their token lets them do."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

from aiohttp import web

from releaser.errors import UsageError
from releaser.rehearsal.actions.tokens import BOT, JobToken

LOGIN = "releaser"
_LASTS = timedelta(days=7)

_SCOPES = (
    (re.compile(r"/actions/runs/\d+/pending_deployments"), "deployments"),
    (re.compile(r"/actions/"), "actions"),
    (re.compile(r"/(releases|git|compare|branches|rules|rulesets)(/|$)"), "contents"),
    (re.compile(r"/(milestones|issues)(/|$)"), "issues"),
    (re.compile(r"/attestations(/|$)"), "attestations"),
)
_REPOSITORY = re.compile(r"^(/uploads)?/repos/[^/]+/[^/]+")
_READING = ("GET", "HEAD")

Grant = Literal["write", "read", "guest"]
GRANTS: tuple[Grant, ...] = ("write", "read", "guest")


@dataclass(frozen=True)
class Caller:
    """Who sent a request.

    Attributes:
        login: The user; None without a token.
        may_write: Whether the token lets its bearer write this repository, and so see drafts.
        role: What GitHub says of the user's role here; None without a token.
        scopes: What GitHub says of the token's scopes; None where it says nothing.
        ends: When the token ends, as GitHub says it; None where it says nothing.
        is_person: False for a workflow's own token, which has no user.
        job: The token of a job that runs here; None for every other.
    """

    login: str | None = None
    may_write: bool = False
    role: Mapping[str, bool] | None = None
    scopes: str | None = None
    ends: str | None = None
    is_person: bool = True
    job: JobToken | None = None


class Tokens:
    """The tokens that are accepted.

    A token's kind follows from how it begins, as on GitHub: ``github_pat_`` fine-grained (its scopes are not told, but
    when it ends: in seven days), ``ghs_`` a workflow's own (neither user nor role are told), all else classic (scopes
    are told).

    Args:
        grants: What each token may do: "write"; "read" (its owner may push, the token may not); "guest" (neither may).
            None accepts every token for writing.
    """

    def __init__(self, grants: Mapping[str, Grant] | None = None) -> None:
        self._grants = grants
        self._find_job: Callable[[str], JobToken | None] = lambda _token: None

    def accept_jobs(self, find: Callable[[str], JobToken | None]) -> None:
        """Accept the tokens of jobs that run here, which `find` knows."""
        self._find_job = find

    @classmethod
    def from_file(cls, path: Path) -> Tokens:
        """Read a file with one token a line, and after it, if it is not "write", its grant.

        Raises:
            UsageError: The file cannot be read, or a line is wrong.
        """
        try:
            lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}", "Give a file that holds the token.") from error
        grants: dict[str, Grant] = {}
        for token, *words in lines:
            grant = next((grant for grant in GRANTS if words in ([grant], [])), None)
            if grant is None:
                raise UsageError(f"{path} has a wrong line", f"Write TOKEN or TOKEN and one of {', '.join(GRANTS)}.")
            grants[token] = grant
        if not grants:
            raise UsageError(f"{path} is empty", "Give a file that holds the token.")
        return cls(grants)

    def caller(self, request: web.Request) -> Caller | None:
        """Who sent this; None when the token is wrong."""
        header = request.headers.get("Authorization")
        if header is None:
            return Caller()
        token = _token_in(header)
        if (job := self._find_job(token)) is not None:
            writes = job.permissions.get("contents") == "write"
            return Caller(BOT, writes, _role(False), is_person=False, job=job)
        grant = "write" if self._grants is None and token else (self._grants or {}).get(token)
        if grant is None:
            return None
        may_push = grant != "guest"
        writes = grant == "write"
        if token.startswith("ghs_"):
            return Caller(BOT, writes, _role(False), is_person=False)
        if token.startswith("github_pat_"):
            ends = datetime.now(timezone.utc) + _LASTS
            return Caller(LOGIN, writes, _role(may_push), ends=f"{ends:%Y-%m-%d %H:%M:%S} UTC")
        return Caller(LOGIN, writes, _role(may_push), "repo, workflow" if writes else "read:user")


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


def _role(may_push: bool) -> dict[str, bool]:
    return {"admin": False, "maintain": False, "push": may_push, "triage": may_push, "pull": True}


def _token_in(header: str) -> str:
    """Return the token of an `Authorization` header; with `Basic` it is the password, as git sends it."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return value.strip()
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
