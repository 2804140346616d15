"""What every answer carries, and which requests are turned away before they reach a handler.

A server on loopback is reachable by any web site that is open in the same browser. The ``Host`` check stops sites that
point a name of their own at it (DNS rebinding); the ``Origin`` check stops them from posting to it and from opening
WebSockets. The headers keep the page from loading anything from elsewhere, and other sites from framing it.
"""

from __future__ import annotations

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import ForbiddenError, InputError, LimitError
from live_vlm_webui.network.clients import client_of
from live_vlm_webui.network.hosts import Hosts
from live_vlm_webui.security import login
from live_vlm_webui.security.rates import TokenBuckets

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
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
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
"""Of parameters in a query, without case, ``-`` and ``_``."""


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: put ``HEADERS`` on every response, errors included."""
    response.headers.update(HEADERS)


def middlewares(settings: Settings, requests: TokenBuckets | None = None) -> tuple[Middleware, ...]:
    """What each request passes before it reaches a handler, in this order.

    They raise ``RequestError``; ``app[login.LOGIN]`` must be there.

    Args:
        settings: Of the server.
        requests: How many requests each address may send; None takes ``BURST`` and ``REQUESTS_A_SECOND``.
    """
    hosts = Hosts(settings)
    requests = TokenBuckets(REQUESTS_A_SECOND, BURST) if requests is None else requests
    return (limit_rate(settings, requests), check_host(hosts), refuse_secrets, check_origin(hosts), require_login)


def limit_rate(settings: Settings, requests: TokenBuckets) -> Middleware:
    """Turn away who sends too many requests."""

    @web.middleware
    async def limit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if wait := requests.take(client_of(request, settings)):
            raise LimitError("Too many requests from this address.", "Send fewer of them.", retry_after=wait)
        return await handler(request)

    return limit


def check_host(hosts: Hosts) -> Middleware:
    """Turn away requests that were addressed to a name that is not this server's."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get(hdrs.HOST, "")
        if not hosts.answers_to(host):
            raise ForbiddenError(
                f"This server does not answer to the name {host[:100]!r}.",
                "Open it by an address or name that it printed at its start; if a reverse proxy passes requests on"
                " under this name, start the server with --allow-host and the name.",
            )
        return await handler(request)

    return check


@web.middleware
async def refuse_secrets(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn away keys and tokens in the query: URLs end in logs and histories."""
    if request.query_string:
        for name in request.query:
            if name.lower().replace("-", "").replace("_", "") in SECRET_NAMES:
                raise InputError(
                    "A key, token or code in a URL is not taken: URLs end in logs and histories. Count it as leaked.",
                    "Send tokens in the header Authorization: Bearer TOKEN, and keys and codes in the body.",
                )
    return await handler(request)


def check_origin(hosts: Hosts) -> Middleware:
    """Turn away what other web sites' pages send, but for people who follow a link."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if changes_something(request):
            origin = request.headers.get(hdrs.ORIGIN)
            host = request.headers.get(hdrs.HOST, "")
            if origin is not None and not hosts.is_own_page(origin, host, request.secure):
                raise ForbiddenError(
                    f"Pages of {origin[:100]!r} may not use this server.",
                    "Use its own page. If this is its own page behind a reverse proxy, start the server with"
                    " --allow-host and the name (and port) that the browser shows.",
                )
        if is_other_site(request):
            raise ForbiddenError("Other web sites' pages may not use this server.", "Use its own page.")
        return await handler(request)

    return check


@web.middleware
async def require_login(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn away who is not signed in, but for what signing in needs."""
    if is_open(request.path):
        return await handler(request)
    gate = request.app[login.LOGIN]
    gate.check(request)
    with gate.cut_at_sign_out(request):
        return await handler(request)


def is_open(path: str) -> bool:
    """Whether nobody needs to be signed in for ``path``."""
    return path in OPEN_PATHS or path.startswith(OPEN_DIRECTORY)


def changes_something(request: web.Request) -> bool:
    """Whether ``request`` may do more than read."""
    return request.method not in SAFE_METHODS or hdrs.UPGRADE in request.headers


def is_other_site(request: web.Request) -> bool:
    """Whether a browser says that another site's page sent ``request``, and not to show this one's page in a tab."""
    if request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}:
        return False
    navigates = (
        request.headers.get("Sec-Fetch-Mode") == "navigate" and request.headers.get("Sec-Fetch-Dest") == "document"
    )
    return not (navigates and not changes_something(request))
