"""The HTTP client for all requests to model servers."""

from __future__ import annotations

import socket

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from live_vlm_webui import __version__
from live_vlm_webui.errors import ForbiddenError
from live_vlm_webui.models.endpoint import refuse_metadata

CONNECT_SECONDS = 10.0
MOST_CONNECTIONS = 256
KEEPALIVE_SECONDS = 15.0
HEADERS = {"User-Agent": f"live-vlm-webui/{__version__}", "Accept-Encoding": "identity"}


def open_client() -> ClientSession:
    """Create the client, in a running event loop; the caller closes it.

    It keeps no cookies, which would leak between users; uses neither proxies nor passwords from the environment and
    ``.netrc``; does not decompress answers, which can expand a thousandfold; and does not resolve names to addresses of
    cloud metadata services.
    """
    return ClientSession(
        auto_decompress=False,
        connector=TCPConnector(
            limit=MOST_CONNECTIONS,
            keepalive_timeout=KEEPALIVE_SECONDS,
            resolver=GuardedResolver(),
        ),
        cookie_jar=DummyCookieJar(),
        headers=HEADERS,
        timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        trust_env=False,
    )


class GuardedResolver(AbstractResolver):
    """Resolves names like the system, but rejects addresses of cloud metadata services, whatever their name."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve ``host``.

        Raises:
            OSError: The name is unknown or not allowed.
        """
        results = await self._resolver.resolve(host, port, family)
        for result in results:
            try:
                refuse_metadata(result["host"])
            except ForbiddenError as error:
                raise OSError(error.message) from None
        return results

    async def close(self) -> None:
        """Free the resolver."""
        await self._resolver.close()
