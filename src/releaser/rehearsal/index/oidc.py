"""Trusted publishing at the rehearsal's index: exchange a CI job's identity for a short-lived upload token.

PyPI's ``/_/oidc/audience`` and ``/_/oidc/mint-token``, with one difference: the identity is a JWT signed with a shared
secret (HS256), not with the CI service's own key. ``DIR/publishers.json`` lists who may publish what::

    [{"project": "demo", "repository": "me/demo", "workflow": "release.yml", "environment": "", "pending": true}]

A pending publisher's first token creates the project, and makes it a publisher like any other.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Any

from aiohttp import web
from packaging.utils import canonicalize_name
from pydantic import BaseModel, JsonValue, StrictStr, TypeAdapter, ValidationError

from releaser.rehearsal.identity import ISSUER
from releaser.rehearsal.index.publishers import InvalidPublisherError, Publisher, find
from releaser.rehearsal.index.store import IndexStore, MintedToken

TOKEN_LIFETIME = timedelta(minutes=15)
_LEEWAY_S = 30  # between PyPI's clock and GitHub's
_PUBLISHERS = TypeAdapter(list[Publisher])


class _Payload(BaseModel):
    token: StrictStr


class TokenRefusedError(Exception):
    """An identity that is refused: PyPI's code, a colon and PyPI's description."""

    @property
    def error(self) -> dict[str, str]:
        """What PyPI answers in its list of errors."""
        code, _, description = str(self).partition(": ")
        return {"code": code, "description": description}


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
        try:
            try:
                token = _Payload.model_validate_json(await request.read()).token
            except ValidationError as error:
                raise TokenRefusedError(f"invalid-payload: {error}") from error
            claims = self.verified(token, self._audience)
            return web.json_response(self._mint(claims, self._find(claims)))
        except TokenRefusedError as refused:
            return web.json_response({"message": "Token request failed", "errors": [refused.error]}, status=422)

    def identify(self, token: str) -> MintedToken | None:
        """Return what a minted token is good for; None if it was not minted here or has expired."""
        minted = self._store.world.tokens.get(_digest(token))
        return minted if minted and self._store.clock() < minted.expires else None

    def verified(self, token: str, audience: str) -> dict[str, Any]:
        """Return the claims of an identity whose signature, times, issuer and audience are right.

        Raises:
            TokenRefusedError: One is not.
        """
        import jwt  # its cryptography takes longer to load than all the rest

        try:
            issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
        except (jwt.PyJWTError, KeyError) as error:
            raise TokenRefusedError("invalid-payload: malformed JWT") from error
        if issuer != ISSUER:
            raise TokenRefusedError("invalid-payload: unknown trusted publishing issuer")
        if self._secret is None:
            raise TokenRefusedError("not-enabled: GitHub trusted publishing functionality not enabled")
        try:
            return jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                issuer=ISSUER,
                audience=audience,
                leeway=_LEEWAY_S,
                options={"require": ["iss", "iat", "exp", "aud"], "strict_aud": True},
            )
        except jwt.PyJWTError as error:
            raise TokenRefusedError("invalid-token: malformed or invalid token") from error

    def _find(self, claims: dict[str, Any]) -> Publisher:
        if claims.get("jti") in self._store.world.used_jwt_ids:
            raise TokenRefusedError("invalid-reuse-token: invalid token: already used")
        world, listed = self._store.world, self._listed()
        waiting = [one for one in listed if one.pending and one.key not in (*world.reified, *world.discarded)]
        with suppress(InvalidPublisherError):  # as at PyPI: a publisher that is not pending is sought next
            self._reify(find(waiting, claims), waiting)
        try:
            return find(self._full(), claims)
        except InvalidPublisherError as error:
            raise TokenRefusedError(
                f"invalid-publisher: valid token, but no corresponding publisher ({error})"
            ) from error

    def _reify(self, pending: Publisher, waiting: list[Publisher]) -> None:
        """Create the project of a pending publisher; what else is pending for it is over."""
        world, project = self._store.world, canonicalize_name(pending.project)
        others = [one.key for one in waiting if canonicalize_name(one.project) == project and one.key != pending.key]
        if self._store.project(project):
            world.discarded.append(pending.key)
            self._store.save()
            raise TokenRefusedError("invalid-pending-publisher: valid token, but project already exists")
        world.reified.append(pending.key)
        world.discarded += others
        self._store.create(pending.project)

    def _listed(self) -> list[Publisher]:
        path = self._store.root / "publishers.json"
        return _PUBLISHERS.validate_json(path.read_bytes()) if path.exists() else []

    def _full(self) -> list[Publisher]:
        return [one for one in self._listed() if not one.pending or one.key in self._store.world.reified]

    def _mint(self, claims: dict[str, Any], publisher: Publisher) -> dict[str, JsonValue]:
        token = f"pypi-{secrets.token_urlsafe(48)}"
        expires = self._store.clock() + TOKEN_LIFETIME
        self._store.world.used_jwt_ids.append(str(claims["jti"]))
        self._store.world.tokens[_digest(token)] = MintedToken(
            projects=[canonicalize_name(one.project) for one in self._full() if one.who == publisher.who],
            expires=expires,
            publisher={
                "kind": "GitHub",
                "repository": publisher.repository,
                "workflow": publisher.workflow,
                "environment": publisher.environment or None,
            },
        )
        self._store.save()
        return {"success": True, "token": token, "expires": int(expires.timestamp())}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
