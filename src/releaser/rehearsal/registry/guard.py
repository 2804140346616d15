"""Who may do what in the registry, as GitHub's has it: every request needs a token, which the forge knows.

A token is got with a login (https://distribution.github.io/distribution/spec/auth/token/), and holds that login, as
GitHub's do: so it is worth nothing once its job has ended. To read what is public no login is needed, but a token is.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path

import aiohttp
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

PERMISSION = "/_actions/packages"
"""Where the forge's stand-in says whether a login may `read` or `write` packages: 204, 401 or 403."""
_REALM = "/token"
_READING = ("GET", "HEAD")
_LOGIN = "login"


class Guard:
    """Stands before the registry.

    Args:
        services: The file with the stand-ins' addresses, which is written once all of them listen.
    """

    def __init__(self, services: Path) -> None:
        self._services = services

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give out tokens, and let those requests pass that a token is good for."""
        scheme, _, value = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if request.path == _REALM:
            if request.method != hdrs.METH_GET:  # clients that try OAuth 2 first go on with this
                raise web.HTTPMethodNotAllowed(request.method, [hdrs.METH_GET])
            password = _decoded(value).partition(":")[2] if scheme.lower() == "basic" else ""
            return web.json_response({"token": base64.b64encode(f"{_LOGIN}:{password}".encode()).decode()})
        kind, _, password = _decoded(value).partition(":") if scheme.lower() == "bearer" else ("", "", "")
        if kind != _LOGIN:
            return _challenge(request)
        access = "read" if request.method in _READING else "write"
        if await self._may(access, password):
            return await handler(request)
        return _errors(403, "DENIED", f"permission_denied: {access}_package")

    async def _may(self, access: str, password: str) -> bool:
        if not password:
            return access == "read"
        forge = json.loads(self._services.read_bytes())["forge"]["api_url"]
        headers = {hdrs.AUTHORIZATION: f"Bearer {password}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{forge}{PERMISSION}", params={"access": access}) as answer,
        ):
            return answer.status == web.HTTPNoContent.status_code


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _challenge(request: web.Request) -> web.Response:
    parts = request.path.removeprefix("/v2/").split("/")
    # What comes after the repository's name: manifests, blobs or tags, which a name cannot end with here.
    end = next((at for at, part in enumerate(parts) if part in ("manifests", "blobs", "tags")), len(parts))
    actions = "pull" if request.method in _READING else "pull,push"
    asked = f'realm="http://{request.host}{_REALM}",service="{request.host}"'
    name = "/".join(parts[:end])
    scope = f',scope="repository:{name}:{actions}"' if name else ""
    answer = _errors(401, "UNAUTHORIZED", "authentication required")
    answer.headers[hdrs.WWW_AUTHENTICATE] = f"Bearer {asked}{scope}"
    return answer


def _errors(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"errors": [{"code": code, "message": message}]}, status=status)
