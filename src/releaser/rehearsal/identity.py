"""Identities (OpenID Connect) as GitHub gives them to jobs: the same claims, signed with a key that stand-ins share."""

from __future__ import annotations

import secrets
import time

from pydantic import JsonValue

ISSUER = "https://token.actions.githubusercontent.com"
LIFETIME_S = 300


def claims_of_job(
    repository: str,
    workflow: str,
    *,
    ref: str = "refs/heads/main",
    sha: str = "0" * 40,
    environment: str | None = None,
    event: str = "workflow_dispatch",
    run_id: int = 1,
    run_attempt: int = 1,
    actor: str = "",
) -> dict[str, JsonValue]:
    """Return what GitHub says of a job, but for whom it says it to; see `identity_for`.

    https://docs.github.com/en/actions/reference/security/oidc

    Args:
        repository: OWNER/NAME.
        workflow: The workflow's file name; the job is in that file itself, not in a reusable one.
        ref: The full git ref that the run is of.
        sha: Its commit.
        environment: The job's environment; None, and the claim is left out, as GitHub does.
        event: What started the run.
        run_id: The run's number.
        run_attempt: Its attempt, from 1.
        actor: Who started it; the owner by default.
    """
    owner = repository.partition("/")[0]
    reference = f"{repository}/.github/workflows/{workflow}@{ref}"
    claims: dict[str, JsonValue] = {
        "iss": ISSUER,
        "sub": f"repo:{repository}:" + (f"environment:{environment}" if environment else f"ref:{ref}"),
        "repository": repository,
        "repository_id": _number(repository),
        "repository_owner": owner,
        "repository_owner_id": _number(owner),
        "repository_visibility": "public",
        "workflow_ref": reference,
        "workflow_sha": sha,
        "job_workflow_ref": reference,
        "job_workflow_sha": sha,
        "ref": ref,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "sha": sha,
        "event_name": event,
        "run_id": str(run_id),
        "run_attempt": str(run_attempt),
        "runner_environment": "github-hosted",
        "actor": actor or owner,
    }
    if environment:
        claims["environment"] = environment
    return claims


def identity_for(audience: str, claims: dict[str, JsonValue], secret: str) -> str:
    """Return the signed identity of a job for one audience; each is good for one token.

    Args:
        audience: Whom it is for.
        claims: What it says of the job, and what else replaces a claim made here; None leaves it out.
        secret: The key that stand-ins share (HS256); GitHub signs with its own (RS256).
    """
    import jwt  # its cryptography takes longer to load than all the rest

    now = int(time.time())
    made = {"aud": audience, "jti": secrets.token_hex(16), "iat": now, "nbf": now, "exp": now + LIFETIME_S}
    said = {name: value for name, value in {**made, **claims}.items() if value is not None}
    return jwt.encode(said, secret, algorithm="HS256")


def _number(name: str) -> str:
    """Return a number for a name, always the same: GitHub tells repositories and owners apart by theirs."""
    return str(int.from_bytes(name.lower().encode()[-6:], "big"))
