"""Trusted publishing: a CI job's own identity (OpenID Connect), exchanged for an upload token of 15 minutes.

The index names the audience, the CI service signs an identity for it, and the index mints a token for the projects
whose publisher that job is. No password is kept anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from releaser.adapters.http import Http
from releaser.adapters.index.identity import ask_identity, claims_of, job_of, lacks_permission
from releaser.adapters.publishers import Publisher
from releaser.core.files import sha256
from releaser.errors import ConflictError, ServiceError
from releaser.secret import Redactor, Secret

if TYPE_CHECKING:
    import requests

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


def refuse_unvouched(index: str, files: Sequence[Path], vouched: Mapping[str, str] | None) -> None:
    """Refuse to use a job's identity for what that job alone has seen, such as a file of a release.

    Args:
        index: How messages call the index.
        files: What is to be uploaded.
        vouched: The sha256 by name of what another job has built again; None if none has.

    Raises:
        ConflictError: A file is not among those that are vouched for.
    """
    known = {} if vouched is None else vouched
    if strange := [path.name for path in files if known.get(path.name) != sha256(path)]:
        why = "no other job has built them again" if vouched is None else "the rebuild made other bytes"
        raise ConflictError(
            f"This job's identity does not upload {', '.join(strange)} to {index}: {why}",
            "Have another job run `invoke ci.rebuild`, and give its output `manifest` in REBUILT to "
            "`invoke publish.pypi` or `invoke ci.testpypi`.",
        )


@dataclass(frozen=True)
class TrustedPublishing:
    """One index's side of it.

    Attributes:
        index: How messages call the index.
        root: The address of the host that uploads go to.
        register: Where a publisher of the project is registered, and as what: it ends the sentence "register it ...".
        token_env: The variable that takes a token instead.
        registered: The publisher that the configuration says is registered; None where it names none.
    """

    index: str
    root: str
    register: str
    token_env: str
    registered: Publisher | None = None

    def mint(self) -> Secret | None:
        """Return an upload token for this job; None where no CI service vouches for it.

        Raises:
            ServiceError: The workflow lacks a permission, this job is not the configured publisher, or the index knows
                no such publisher; the remedy says what to register, and where.
        """
        doing = "name the audience of trusted publishing"
        audience = self._http.document(self._ask("GET", "audience", doing), _AUDIENCE, doing).audience
        identity = self._identity(audience)
        if identity is None:
            return None
        self._demand_registered(identity)
        doing = "mint an upload token"
        minted = self._ask("POST", "mint-token", doing, identity)
        return Secret(self._http.document(minted, _MINTED, doing).token)

    def _identity(self, audience: str) -> Secret | None:
        if lacks_permission():
            raise ServiceError(
                f"The workflow does not let this job prove who it is, and {self.index} has no other login for it",
                f"Give the job `permissions: id-token: write`, or set {self.token_env}.",
            )
        return ask_identity(audience)

    def _demand_registered(self, identity: Secret) -> None:
        """Compare this job with the configuration: the index would only say that it knows no such publisher."""
        job = job_of(claims_of(identity))
        misfits = self.registered.misfits(job) if self.registered and job else []
        if misfits:
            raise ServiceError(
                f"This job is not the publisher that is configured for {self.index}: {'; '.join(misfits)}",
                f"Run it in a job of that workflow and environment, or correct [tool.releaser.{self.index}]; what is "
                f"registered at {self.index} must agree with it.",
            )

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
        claims = claims_of(identity)
        job = job_of(claims) or f"subject {claims.get('sub', 'unknown')}"
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
