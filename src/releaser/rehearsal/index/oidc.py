"""Trusted publishing at the rehearsal's index: exchange a CI job's identity for a short-lived upload token.

PyPI's ``/_/oidc/audience`` and ``/_/oidc/mint-token``, with one difference: the identity is a JWT signed with a shared
secret (HS256), not with the CI service's own key. ``DIR/publishers.json`` lists who may publish what::

    [{"project": "demo", "repository": "me/demo", "workflow": "release.yml", "environment": "", "pending": true}]

A pending publisher's token creates the project at its first upload. Attestations (PEP 740) are kept as they come, their
signatures unread.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from aiohttp import web
from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from releaser.rehearsal.index.distribution import RefusedError
from releaser.rehearsal.index.store import IndexStore, MintedToken

TOKEN_LIFETIME = timedelta(minutes=15)
_CLAIMS = ["aud", "exp", "jti", "repository", "workflow_ref"]


class Publisher(BaseModel):
    """One line of ``publishers.json``; an empty environment is any."""

    model_config = ConfigDict(extra="forbid")

    project: str
    repository: str
    workflow: str
    environment: str = ""
    pending: bool = False

    def matches(self, claims: dict[str, Any]) -> bool:
        """Return whether a job with these claims is this publisher."""
        prefix = f"{self.repository}/.github/workflows/{self.workflow}@"
        return (
            str(claims["repository"]).lower() == self.repository.lower()
            and str(claims["workflow_ref"]).lower().startswith(prefix.lower())
            and self.environment.lower() in ("", str(claims.get("environment", "")).lower())
        )


class TrustedPublishing:
    """The two endpoints.

    Args:
        store: Where minted tokens and used JWT ids are kept.
        audience: What the JWT must be meant for; the index's name.
        secret: The issuer's key; None answers that trusted publishing is not enabled.
    """

    def __init__(self, store: IndexStore, audience: str, secret: str | None) -> None:
        self._store = store
        self._audience = audience
        self._secret = secret

    def add_routes(self, app: web.Application) -> None:
        """Serve both on ``app``."""
        app.router.add_get("/_/oidc/audience", self.answer_audience)
        app.router.add_post("/_/oidc/mint-token", self.mint_token)

    async def answer_audience(self, _request: web.Request) -> web.Response:
        """GET: the audience that a job asks its identity for."""
        if self._secret is None:
            return web.json_response({"message": "Trusted publishing functionality not enabled"}, status=403)
        return web.json_response({"audience": self._audience})

    async def mint_token(self, request: web.Request) -> web.Response:
        """POST ``{"token": JWT}``: an upload token, or 422 with a code."""
        import jwt  # its cryptography takes longer to load than all the rest

        if self._secret is None:
            return _refuse("not-enabled", "trusted publishing functionality not enabled")
        try:
            token = TypeAdapter(dict[str, str]).validate_json(await request.read())["token"]
        except (ValueError, KeyError):
            return _refuse("invalid-payload", "the body is not a JSON object with a token")
        try:
            claims = jwt.decode(
                token, self._secret, algorithms=["HS256"], audience=self._audience, options={"require": _CLAIMS}
            )
        except jwt.PyJWTError as error:
            return _refuse("invalid-token", f"malformed or invalid token: {error}")
        if claims["jti"] in self._store.world.used_jwt_ids:
            return _refuse("invalid-reuse-token", "invalid token: already used")
        publishers = [each for each in self._publishers() if each.matches(claims)]
        if not publishers:
            return _refuse("invalid-publisher", "valid token, but no corresponding publisher")
        return web.json_response(self._mint(claims["jti"], publishers))

    def identify(self, token: str) -> MintedToken | None:
        """Return what a minted token is good for; None if it was not minted here or has expired."""
        minted = self._store.world.tokens.get(_digest(token))
        return minted if minted and self._store.clock() < minted.expires else None

    def _publishers(self) -> list[Publisher]:
        path = self._store.root / "publishers.json"
        return TypeAdapter(list[Publisher]).validate_json(path.read_bytes()) if path.exists() else []

    def _mint(self, jwt_id: str, publishers: list[Publisher]) -> dict[str, JsonValue]:
        token = f"pypi-{secrets.token_urlsafe(48)}"
        expires = self._store.clock() + TOKEN_LIFETIME
        first = publishers[0]
        self._store.world.used_jwt_ids.append(jwt_id)
        self._store.world.tokens[_digest(token)] = MintedToken(
            projects=[canonicalize_name(each.project) for each in publishers],
            may_create=[canonicalize_name(each.project) for each in publishers if each.pending],
            expires=expires,
            publisher={
                "kind": "GitHub",
                "repository": first.repository,
                "workflow": first.workflow,
                "environment": first.environment or None,
            },
        )
        self._store.save()
        return {"success": True, "token": token, "expires": int(expires.timestamp())}


def provenance_of(attestations: str, minted: MintedToken | None) -> JsonValue:
    """Return the PEP 740 provenance object for an upload form's ``attestations``; None if it has none.

    Raises:
        RefusedError: They are not a JSON list, or came without a trusted publisher's token.
    """
    if not attestations:
        return None
    if minted is None:
        raise RefusedError("Attestations are currently only supported when using Trusted Publishing.")
    try:
        parsed = TypeAdapter(list[dict[str, JsonValue]]).validate_json(attestations)
    except ValueError as error:
        raise RefusedError("Malformed attestations: not a JSON list of objects.") from error
    return {"version": 1, "attestation_bundles": [{"publisher": minted.publisher, "attestations": [*parsed]}]}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _refuse(code: str, description: str) -> web.Response:
    errors = [{"code": code, "description": description}]
    return web.json_response({"message": "Token request failed", "errors": errors}, status=422)
