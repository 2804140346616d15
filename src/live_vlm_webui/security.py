"""What every answer carries, and which requests are turned away before they reach a page.

A server on loopback is reachable by any web site that is open in the same browser. The ``Host`` check stops sites that
point a name of their own at 127.0.0.1 (DNS rebinding). The headers keep the page from loading anything from elsewhere,
and other sites from framing it.
"""

from __future__ import annotations

import re

from aiohttp import web
from aiohttp.typedefs import Handler

from live_vlm_webui.settings import loopback_address

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "media-src 'self' blob:",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'none'",
    )
)
HOST_HEADER = re.compile(r"(?P<name>\[[^\[\]]+\]|[^\[\]:]+)(:[0-9]+)?")
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: put ``HEADERS`` on every response, errors included."""
    response.headers.update(HEADERS)


@web.middleware
async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn away requests that were not addressed to this machine's loopback interface by name or address."""
    host = request.headers.get("Host", "")
    if not is_loopback_host(host):
        raise web.HTTPForbidden(
            text=f"This server answers to localhost, 127.0.0.1 and [::1] only, not to {host!r}."
            " Open it under one of those; a reverse proxy must send one of them as Host."
        )
    return await handler(request)


def is_loopback_host(host: str) -> bool:
    """Whether a ``Host`` header, ``name[:port]``, names this machine's loopback interface. Any port will do."""
    match = HOST_HEADER.fullmatch(host)
    if match is None:
        return False
    try:
        loopback_address(match["name"])
    except ValueError:
        return False
    return True
