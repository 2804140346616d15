"""Artifact attestations at the rehearsal's GitHub: kept as they come, found by the digests that they speak of."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from releaser.rehearsal.forge.answers import Handlers, problem
from releaser.rehearsal.forge.shapes import Record
from releaser.rehearsal.forge.store import RefusedError

_REPOSITORY_ID = 1


class Attestations(Handlers):
    """Artifact attestations."""

    def routes(self) -> list[web.RouteDef]:
        """Make one, and list those of a digest."""
        api = f"/repos/{self._repository}/attestations"
        return [web.post(api, self.create), web.get(f"{api}/{{digest}}", self.list_of)]

    async def create(self, request: web.Request) -> web.Response:
        """POST ``{"bundle": ...}``: what GitHub's action sends."""
        try:
            bundle = (await request.json())["bundle"]
            subjects = _subjects(bundle)
        except (ValueError, KeyError, TypeError) as error:
            raise RefusedError("Invalid bundle") from error
        made: Record = {"id": self._store.new_id(), "digests": subjects, "bundle": bundle}
        self._store.state.setdefault("attestations", []).append(made)
        self._store.commit()
        return web.json_response({"id": made["id"]}, status=201)

    async def list_of(self, request: web.Request) -> web.Response:
        """GET: the attestations of a digest, ``sha256:HEX``."""
        kept = self._store.state.get("attestations", [])
        found = [one for one in kept if request.match_info["digest"] in one["digests"]]
        if not found:
            return problem(404, "Not Found")
        listed = [
            {"bundle": one["bundle"], "repository_id": _REPOSITORY_ID, "bundle_url": "", "initiator": "user"}
            for one in found
        ]
        return web.json_response({"attestations": listed})


def _subjects(bundle: Any) -> list[str]:
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    found = [f"sha256:{one['digest']['sha256']}" for one in statement["subject"]]
    if not found or not bundle["dsseEnvelope"]["signatures"] or not bundle["verificationMaterial"]:
        raise ValueError("it has no subject, signature or certificate")
    return found
