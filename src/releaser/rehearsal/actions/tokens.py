"""What a job proves itself with: its token, which ends with it, and identities signed for others (OpenID Connect)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

ISSUER = "https://token.actions.githubusercontent.com"
_LASTS_S = 300
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
    claims: Mapping[str, str]
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

    def issue(self, permissions: Mapping[str, str], claims: Mapping[str, str]) -> JobToken:
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
        import jwt  # its cryptography takes longer to load than all the rest

        issued = self._identity.get(request_token)
        if issued is None or self._key is None:
            return None
        issued.used.add("id-token: write")
        now = int(time.time())
        owner = f"https://github.com/{issued.claims['repository_owner']}"
        claims = {
            "iss": ISSUER,
            "aud": audience or owner,
            "jti": secrets.token_hex(16),
            "iat": now,
            "nbf": now - 5,
            "exp": now + _LASTS_S,
            **issued.claims,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")


def claims_of(context: Mapping[str, str], environment: str | None) -> dict[str, str]:
    """Return what GitHub says of a job in its identities.

    Args:
        context: The job's `github` context.
        environment: The environment that it is in.
    """
    repository = context["repository"]
    subject = f"environment:{environment}" if environment else f"ref:{context['ref']}"
    named = ("repository", "repository_owner", "ref", "ref_type", "sha", "event_name", "actor", "workflow")
    return {
        "sub": f"repo:{repository}:{subject}",
        **{name: context[name] for name in named},
        "workflow_ref": context["workflow_ref"],
        "workflow_sha": context["workflow_sha"],
        "job_workflow_ref": context["workflow_ref"],
        "job_workflow_sha": context["workflow_sha"],
        "run_id": context["run_id"],
        "run_number": context["run_number"],
        "run_attempt": context["run_attempt"],
        "repository_visibility": "public",
        "runner_environment": "github-hosted",
        **({"environment": environment} if environment else {}),
    }
