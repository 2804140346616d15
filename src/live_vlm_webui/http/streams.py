"""Responses that are sent in pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

PATIENCE_SECONDS = 20.0
"""How long the client may take to accept a piece."""
LOOK_SECONDS = 1.0
"""How often the connection is checked while there is nothing to send."""


async def send_pieces(
    request: web.Request, pieces: AsyncGenerator[bytes, None], headers: dict[str, str]
) -> web.StreamResponse:
    """Send what ``pieces`` yields, until it ends or the client is gone or does not read.

    An error before the first piece is raised; a later one cuts the response off, since its status was already sent.
    """
    response = web.StreamResponse(headers={"Cache-Control": "no-store", **headers})
    async with aclosing(pieces):
        while (piece := await _next(request, pieces)) is not None:
            if not response.prepared:
                await response.prepare(request)
            try:
                await asyncio.wait_for(response.write(piece), PATIENCE_SECONDS)
            except (OSError, asyncio.TimeoutError):
                if request.transport is not None:
                    request.transport.abort()
                break
    return response


async def _next(request: web.Request, pieces: AsyncGenerator[bytes, None]) -> bytes | None:
    """Return the next piece; None at the end, or if the client is gone."""
    coming = asyncio.ensure_future(_anext(pieces))
    try:
        while not (await asyncio.wait({coming}, timeout=LOOK_SECONDS))[0]:
            if request.transport is None:
                return None
        return coming.result()
    finally:
        if not coming.done():
            coming.cancel()
            await asyncio.wait({coming})


async def _anext(pieces: AsyncGenerator[bytes, None]) -> bytes | None:
    return await anext(pieces, None)
