"""What stands before a real registry where tokens count, or faults strike: it sends requests on, and answers back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import aiohttp
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from yarl import URL

from releaser.rehearsal.injection import Injection, RequestFault
from releaser.rehearsal.registry.guard import Guard

_CLIENT: web.AppKey[aiohttp.ClientSession] = web.AppKey("client")
# What is said of one connection, or computed from what is sent on.
_OWN = {hdrs.CONNECTION, hdrs.KEEP_ALIVE, hdrs.TRANSFER_ENCODING, hdrs.DATE, hdrs.SERVER}


def create_app(
    target: str, faults: Iterable[RequestFault], world: Path, services: Path | None = None
) -> web.Application:
    """Return the application.

    Args:
        target: The registry's address.
        faults: What strikes.
        world: Where markers say that a fault struck.
        services: The file with the stand-ins' addresses, for a registry that asks the forge who may do what.
    """
    guards = [Guard(services).middleware] if services else []
    return fronting(target, [*guards, *(Injection(one, world).middleware for one in faults)])


def fronting(target: str, middlewares: Iterable[Middleware]) -> web.Application:
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
    app = web.Application(client_max_size=0, middlewares=list(middlewares))
    app.cleanup_ctx.append(_client)
    app.router.add_route("*", "/{path:.*}", forward)
    return app


async def _client(app: web.Application) -> AsyncIterator[None]:
    # What is packed stays packed: its bytes have the digest that it is asked for by.
    async with aiohttp.ClientSession(auto_decompress=False) as app[_CLIENT]:
        yield
