"""A CI job's own identity (OpenID Connect): asked of the CI service for one audience, and what it says of the job."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from releaser.adapters import process
from releaser.adapters.publishers import Publisher, workflow_file
from releaser.errors import CommandError, ServiceError
from releaser.secret import Secret

_WAIT_S = 60.0
_IDENTITY = re.compile(r"^(ACTIONS_ID_TOKEN_REQUEST_|BUILDKITE_|CIRCLE_)|_ID_TOKEN$")
"""The variables with which a job of GitHub, Buildkite, CircleCI or GitLab can prove who it is."""


def in_ci_job() -> bool:
    """Return whether this runs in a job of a CI service that can vouch for it."""
    return any(os.environ.get(name) for name in ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI"))


def in_github_job() -> bool:
    """Return whether this runs in a job of GitHub's that may ask for an identity."""
    return bool(os.environ.get("GITHUB_ACTIONS") and os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"))


def lacks_permission() -> bool:
    """Return whether this is a job of GitHub's whose workflow does not let it have an identity."""
    return bool(os.environ.get("GITHUB_ACTIONS")) and not in_github_job()


def own_variables() -> dict[str, Secret]:
    """Return the variables with which this job proves who it is, for the programs that ask for its identity."""
    return {name: Secret(value) for name, value in os.environ.items() if _IDENTITY.search(name)}


def ask_identity(audience: str) -> Secret | None:
    """Return this job's identity for an audience; None where no CI service vouches for it.

    Raises:
        ServiceError: The CI service gave none.
    """
    try:
        # In a process of its own: at some CI services it starts a program of theirs, which gets these variables alone.
        found = process.ask(
            [sys.executable, "-m", "id", audience], cwd=Path(sys.prefix), env=own_variables(), within=_WAIT_S
        ).text
    except CommandError as error:
        said = error.message.splitlines()[-1]
        raise ServiceError(
            f"The CI service gave this job no identity: {said}", "Rerun the job: each run brings a new identity."
        ) from None
    return Secret(found.strip()) if found.strip() not in ("", "None") else None


def claims_of(identity: Secret | None) -> dict[str, Any]:
    """Return what an identity says, unverified; empty if it cannot be read."""
    from id import decode_oidc_token

    try:
        found = json.loads(decode_oidc_token(identity.reveal())[1]) if identity else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def job_of(claims: dict[str, Any]) -> Publisher | None:
    """Return the job that an identity of GitHub's speaks of; None if it is another service's."""
    if "repository" not in claims:
        return None
    file = workflow_file(str(claims.get("job_workflow_ref") or claims.get("workflow_ref", "")))
    return Publisher(str(claims["repository"]), file, str(claims.get("environment") or ""))
