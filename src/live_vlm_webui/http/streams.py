"""Answers that are sent piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

PATIENCE_SECONDS = 20.0
"""How long a piece may wait for a reader who does not take it."""
LOOK_SECONDS = 1.0
"""How often it is looked, while there is nothing to send, whether the reader is still there."""


async def send_pieces(
    request: web.Request, pieces: AsyncGenerator[bytes, None], headers: dict[str, str]
) -> web.StreamResponse:
    """Send what ``pieces`` yields, until it ends or the reader is gone or asleep.

    An error of ``pieces`` before the first one is raised; a later one cuts the answer off, since its status is sent.
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
    """The next piece; None at the end, or if nobody is there to read it."""
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
