"""Trusted publishing: a CI job's own identity (OpenID Connect), exchanged for an upload token of 15 minutes.

The index names the audience, the CI service signs an identity for it, and the index mints a token for the projects
whose publisher that job is. No password is kept anywhere.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from id import decode_oidc_token
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from releaser.adapters import process
from releaser.adapters.http import Http
from releaser.errors import CommandError, ServiceError
from releaser.secret import Redactor, Secret

if TYPE_CHECKING:
    import requests

_WAIT_S = 60.0
_IDENTITY = re.compile(r"^(ACTIONS_ID_TOKEN_REQUEST_|BUILDKITE_|CIRCLE_)|_ID_TOKEN$")
"""The variables with which a job of GitHub, Buildkite, CircleCI or GitLab can prove who it is."""
_AGAIN = "rerun the job: each run brings a new identity"


class _AudienceResponse(BaseModel):
    audience: str = Field(min_length=1, strict=True)


class _MintResponse(BaseModel):
    token: str = Field(min_length=1, strict=True)


class _Error(BaseModel):
    code: str = ""
    description: str = ""


class _ErrorsResponse(BaseModel):
    errors: list[_Error]


_AUDIENCE = TypeAdapter(_AudienceResponse)
_MINTED = TypeAdapter(_MintResponse)
_ERRORS = TypeAdapter(_ErrorsResponse)


def in_ci_job() -> bool:
    """Return whether this runs in a job of a CI service that can vouch for it."""
    return any(os.environ.get(name) for name in ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI"))


def lacks_permission() -> bool:
    """Return whether this is a job of GitHub's whose workflow does not let it have an identity."""
    return bool(os.environ.get("GITHUB_ACTIONS")) and not os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")


@dataclass(frozen=True)
class TrustedPublishing:
    """One index's side of it.

    Attributes:
        index: How messages call the index.
        root: The address of the host that uploads go to.
        register: Where a publisher of the project is registered, and as what: it ends the sentence "register it ...".
        token_env: The variable that takes a token instead.
    """

    index: str
    root: str
    register: str
    token_env: str

    def mint(self) -> Secret | None:
        """Return an upload token for this job; None where no CI service vouches for it.

        Raises:
            ServiceError: The workflow lacks a permission, or the index does not know the job as a publisher; the remedy
                says what to register, and where.
        """
        doing = "name the audience of trusted publishing"
        audience = self._http.document(self._ask("GET", "audience", doing), _AUDIENCE, doing).audience
        identity = self._identity(audience)
        if identity is None:
            return None
        doing = "mint an upload token"
        minted = self._ask("POST", "mint-token", doing, identity)
        return Secret(self._http.document(minted, _MINTED, doing).token)

    def _identity(self, audience: str) -> Secret | None:
        if lacks_permission():
            raise ServiceError(
                f"The workflow does not let this job prove who it is, and {self.index} has no other login for it",
                f"Give the job `permissions: id-token: write`, or set {self.token_env}.",
            )
        own = {name: Secret(value) for name, value in os.environ.items() if _IDENTITY.search(name)}
        try:
            # In a process of its own: at some CI services it starts a program of theirs, which gets these alone.
            found = process.ask(
                [sys.executable, "-m", "id", audience], cwd=Path(sys.prefix), env=own, within=_WAIT_S
            ).text
        except CommandError as error:
            said = error.message.splitlines()[-1]
            raise ServiceError(f"The CI service gave this job no identity: {said}", _start(_AGAIN)) from None
        return Secret(found.strip()) if found.strip() not in ("", "None") else None

    @cached_property
    def _http(self) -> Http:
        return Http(self.index, f"the upload address of {self.index}")

    def _ask(self, method: str, endpoint: str, doing: str, identity: Secret | None = None) -> requests.Response:
        url = f"{self.root.rstrip('/')}/_/oidc/{endpoint}"
        body = {"token": identity.reveal()} if identity else None
        response = self._http.send(method, url, doing, json=body)
        if response.status_code == 422:
            raise self._refusal(response.content, identity)
        if response.status_code in (403, 404):
            raise ServiceError(
                f"{self.index} does no trusted publishing: {method} {url} failed (HTTP {response.status_code})",
                f"If it should, {_AGAIN}; otherwise set {self.token_env} to an upload token.",
            )
        if not response.ok:
            raise self._http.refusal(response, doing)
        return response

    def _refusal(self, content: bytes, identity: Secret | None) -> ServiceError:
        """Return the error for the index's codes."""
        try:
            listed = _ERRORS.validate_json(content).errors
        except ValidationError:
            listed = []
        redact = Redactor()
        redact.learn([identity])
        said = redact("; ".join(f"{one.code}: {one.description}" for one in listed) or "no reason given")
        message = f"{self.index} refused this job an upload token: {said}"
        job = _job(identity)
        remedies = {
            "invalid-publisher": f"This job is {job}. Register exactly that, {self.register}; then {_AGAIN}.",
            "invalid-pending-publisher": "The project was made since its pending publisher was registered: if it is "
            f"yours, register {job}, {self.register}; else take another name.",
            "invalid-reuse-token": f"An identity works once; {_AGAIN}.",
            "not-enabled": f"{self.index} has trusted publishing switched off for now: try later, "
            f"or set {self.token_env} to an upload token.",
            "invalid-token": f"{self.index} does not trust this CI service's identity, or it came too late; {_AGAIN}.",
        }
        code = next((one.code for one in listed if one.code in remedies), "")
        return ServiceError(message, remedies.get(code, f"This job is {job}; {_AGAIN}."))


def _job(identity: Secret | None) -> str:
    """Return what the identity says of the job, in the words of the form in which publishers are registered."""
    try:
        claims = json.loads(decode_oidc_token(identity.reveal())[1]) if identity else {}
    except ValueError:
        claims = {}
    if "repository" not in claims:
        return f"subject {claims.get('sub', 'unknown')}"
    owner, _, repository = str(claims["repository"]).partition("/")
    workflow = (
        str(claims.get("job_workflow_ref") or claims.get("workflow_ref", "")).partition("@")[0].rpartition("/")[2]
    )
    environment = claims.get("environment")
    return f"owner {owner}, repository {repository}, workflow {workflow}, " + (
        f"environment {environment}" if environment else "no environment"
    )


def _start(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}."
