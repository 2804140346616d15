"""What a job proves itself with: its token, which ends with it, and identities signed for others (OpenID Connect)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from releaser.rehearsal.identity import identity_for

BOT = "github-actions[bot]"


@dataclass
class JobToken:
    """A job's token.

    Attributes:
        permissions: What the workflow lets it do.
        claims: What an identity of this job says.
        token: The token (`github.token`).
        identity_token: What identities are asked for with; None without `id-token: write`.
        used: The permissions that it was used for.
    """

    permissions: Mapping[str, str]
    claims: dict[str, JsonValue]
    token: str = field(repr=False)
    identity_token: str | None = field(repr=False)
    used: set[str] = field(default_factory=set)

    def may(self, scope: str, access: str) -> bool:
        """Return whether a permission is among its own; to write is to read too. Note that it was needed."""
        if self.permissions.get(scope) not in (access, "write"):
            return False
        self.used.add(f"{scope}: {access}")
        return True


class JobTokens:
    """The tokens of the jobs that run.

    Args:
        key: The key that identities are signed with; None signs none.
    """

    def __init__(self, key: str | None) -> None:
        self._key = key
        self._tokens: dict[str, JobToken] = {}
        self._identity: dict[str, JobToken] = {}

    def issue(self, permissions: Mapping[str, str], claims: dict[str, JsonValue]) -> JobToken:
        """Return the token of a job that begins."""
        proves = permissions.get("id-token") == "write"
        issued = JobToken(
            permissions,
            claims,
            f"ghs_{secrets.token_hex(18)}",
            f"rehearsed_{secrets.token_hex(24)}" if proves else None,
        )
        self._tokens[issued.token] = issued
        if issued.identity_token:
            self._identity[issued.identity_token] = issued
        return issued

    def end(self, issued: JobToken) -> None:
        """Let a token be worth nothing any more."""
        self._tokens.pop(issued.token, None)
        self._identity.pop(issued.identity_token or "", None)

    def find(self, token: str) -> JobToken | None:
        """Return what a token is, while its job runs."""
        return self._tokens.get(token)

    def sign(self, request_token: str, audience: str | None) -> str | None:
        """Return an identity for an audience; None if the request's token is none of a job's that runs."""
        issued = self._identity.get(request_token)
        if issued is None or self._key is None:
            return None
        issued.used.add("id-token: write")
        return identity_for(
            audience or f"https://github.com/{issued.claims['repository_owner']}", issued.claims, self._key
        )
