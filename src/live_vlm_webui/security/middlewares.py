"""Security headers of every response, and checks that reject requests before they reach a handler.

Any web site open in a browser on this machine can reach a server on loopback. The ``Host`` check stops sites that point
their own name at it (DNS rebinding); the ``Origin`` check stops them from posting to it and from opening WebSockets.
The headers keep the page from loading anything from other servers, and other sites from framing it.
"""

from __future__ import annotations

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import ForbiddenError, InputError, LimitError
from live_vlm_webui.network.clients import client_of
from live_vlm_webui.network.hosts import Hosts
from live_vlm_webui.network.roots import path_of
from live_vlm_webui.security import login
from live_vlm_webui.security.rates import TokenBuckets


def policy(style: str = "") -> str:
    """Return a content security policy: nothing of other servers.

    Args:
        style: The hash of the one style sheet that is part of the document, such as ``'sha256-...'``.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' {style}".strip(),
            "img-src 'self' data: blob:",
            "manifest-src 'self'",
            "connect-src 'self'",
            "media-src 'self' blob:",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'none'",
        )
    )


HEADERS = {
    "Content-Security-Policy": policy(),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Server": "live-vlm-webui",
    "X-Content-Type-Options": "nosniff",
}
REQUESTS_A_SECOND = 200.0
BURST = 2000.0
SAFE_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
OPEN_PATHS = frozenset({"/", "/healthz", login.PATH})
OPEN_DIRECTORY = "/static/"
SECRET_NAMES = frozenset(
    {"accesstoken", "apikey", "auth", "authorization", "bearer", "code", "key", "passwd", "password", "secret", "token"}
)
"""Names of query parameters, without case, ``-`` and ``_``."""


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add ``HEADERS`` to every response, errors included; the page has a policy with its style sheet already."""
    own = response.headers.get("Content-Security-Policy")
    response.headers.update(HEADERS)
    if own is not None:
        response.headers["Content-Security-Policy"] = own


def middlewares(settings: Settings, requests: TokenBuckets | None = None) -> tuple[Middleware, ...]:
    """Return the checks that each request passes before it reaches a handler, in this order.

    They raise ``RequestError`` and need ``app[login.LOGIN]``.

    Args:
        settings: The server's settings.
        requests: The request limit per address; None uses ``BURST`` and ``REQUESTS_A_SECOND``.
    """
    hosts = Hosts(settings)
    requests = TokenBuckets(REQUESTS_A_SECOND, BURST) if requests is None else requests
    return (limit_rate(settings, requests), check_host(hosts), refuse_secrets, check_origin(hosts), require_login)


def limit_rate(settings: Settings, requests: TokenBuckets) -> Middleware:
    """Reject clients that send too many requests."""

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if wait := requests.take(client_of(request, settings)):
            raise LimitError("Too many requests from this address", "Send fewer requests.", retry_after=wait)
        return await handler(request)

    return limit


def check_host(hosts: Hosts) -> Middleware:
    """Reject requests whose ``Host`` does not name this server."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get(hdrs.HOST, "")
        if not hosts.answers_to(host):
            if not host:
                raise ForbiddenError(
                    "The request has no Host header",
                    "If a reverse proxy forwards it, let the proxy send Host as browsers do, by HTTP/1.1.",
                )
            raise ForbiddenError(
                f"This server does not answer to the name {host[:100]!r}",
                "Use an address or name that it printed at start. If a reverse proxy forwards requests under this name,"
                " start the server with --allow-host and the name.",
            )
        return await handler(request)

    return check


@web.middleware
async def refuse_secrets(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject keys and tokens in the query: URLs end up in logs and histories."""
    if request.query_string:
        for name in request.query:
            if name.lower().replace("-", "").replace("_", "") in SECRET_NAMES:
                raise InputError(
                    "The URL contains a key, token or code; URLs end up in logs and histories, so consider it leaked",
                    "Send tokens in the header `Authorization: Bearer TOKEN`, keys and codes in the body.",
                )
    return await handler(request)


def check_origin(hosts: Hosts) -> Middleware:
    """Reject requests from other web sites' pages, except when a person follows a link."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if changes_something(request):
            origin = request.headers.get(hdrs.ORIGIN)
            host = request.headers.get(hdrs.HOST, "")
            if origin is not None and not hosts.is_own_page(origin, host, request.secure):
                raise ForbiddenError(
                    f"Pages of {origin[:100]!r} may not use this server",
                    "Use the server's own page. If this is its page behind a reverse proxy, start the server with"
                    " --allow-host and the name (and port) that the browser shows.",
                )
        if is_other_site(request):
            raise ForbiddenError("Pages of other web sites may not use this server", "Use the server's own page.")
        return await handler(request)

    return check


@web.middleware
async def require_login(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Reject clients that are not signed in, except for what signing in needs."""
    if is_open(path_of(request)):
        return await handler(request)
    gate = request.app[login.LOGIN]
    gate.check(request)
    with gate.cut_at_sign_out(request):
        return await handler(request)


def is_open(path: str) -> bool:
    """Return whether ``path`` is open to clients that are not signed in."""
    return path in OPEN_PATHS or path.startswith(OPEN_DIRECTORY)


def changes_something(request: web.Request) -> bool:
    """Return whether ``request`` can do more than read."""
    return request.method not in SAFE_METHODS or hdrs.UPGRADE in request.headers


def is_other_site(request: web.Request) -> bool:
    """Return whether another site's page sent ``request``, other than by opening this server's page in a tab."""
    if request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}:
        return False
    navigates = (
        request.headers.get("Sec-Fetch-Mode") == "navigate" and request.headers.get("Sec-Fetch-Dest") == "document"
    )
    return not (navigates and not changes_something(request))
