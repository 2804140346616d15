"""What stands before a real registry where faults are to strike its requests: it sends each on, and its answer back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import aiohttp
from aiohttp import hdrs, web
from yarl import URL

from releaser.rehearsal.injection import Injection, RequestFault

_CLIENT: web.AppKey[aiohttp.ClientSession] = web.AppKey("client")
# What is said of one connection, or computed from what is sent on.
_OWN = {hdrs.CONNECTION, hdrs.KEEP_ALIVE, hdrs.TRANSFER_ENCODING, hdrs.DATE, hdrs.SERVER}


def create_app(target: str, faults: Iterable[RequestFault], world: Path) -> web.Application:
    """Return the application.

    Args:
        target: The registry's address.
        faults: What strikes.
        world: Where markers say that a fault struck.
    """
    return fronting(target, [Injection(one, world) for one in faults])


def fronting(target: str, injections: Iterable[Injection]) -> web.Application:
    """Return the application, with what is put before it."""

    async def forward(request: web.Request) -> web.Response:
        # The registry makes its addresses from the Host header, so they lead back here.
        headers = {name: value for name, value in request.headers.items() if name.title() not in _OWN}
        async with request.app[_CLIENT].request(
            request.method,
            URL(target + request.raw_path, encoded=True),
            headers=headers,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.title() not in _OWN}
            return web.Response(status=answer.status, body=body or None, headers=kept)

    # No limit of a request's size: layers of images have none.
    app = web.Application(client_max_size=0, middlewares=[one.middleware for one in injections])
    app.cleanup_ctx.append(_client)
    app.router.add_route("*", "/{path:.*}", forward)
    return app


async def _client(app: web.Application) -> AsyncIterator[None]:
    # What is packed stays packed: its bytes have the digest that it is asked for by.
    async with aiohttp.ClientSession(auto_decompress=False) as app[_CLIENT]:
        yield
