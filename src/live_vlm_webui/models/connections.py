"""The HTTP client that all requests to model servers go through."""

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
    """Make the client, in a running event loop; whoever makes it closes it.

    It keeps no cookies, which would cross from user to user; takes neither proxies nor passwords from environment and
    ``.netrc``; asks for answers as they are and expands none, since a compressed one can be a thousand times its size;
    and looks up no name to an address that hands out a cloud's credentials.
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
    """Looks names up as the system does, and refuses those of clouds' metadata services, whatever they are called."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Look up ``host``.

        Raises:
            OSError: There is no such name, or it is one that is not asked.
        """
        results = await self._resolver.resolve(host, port, family)
        for result in results:
            try:
                refuse_metadata(result["host"])
            except ForbiddenError as error:
                raise OSError(error.message) from None
        return results

    async def close(self) -> None:
        """Free what it holds."""
        await self._resolver.close()
