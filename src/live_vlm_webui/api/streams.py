"""Answers that are sent piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiohttp import web

PATIENCE_SECONDS = 20.0
"""How long a piece may wait for a reader who does not take it."""


async def send_pieces(
    request: web.Request, pieces: AsyncGenerator[bytes, None], headers: dict[str, str]
) -> web.StreamResponse:
    """Send what ``pieces`` yields, until it ends or the reader is gone or asleep.

    An error of ``pieces`` before the first one is raised; a later one cuts the answer off, since its status is sent.
    """
    response = web.StreamResponse(headers={"Cache-Control": "no-store", **headers})
    async with aclosing(pieces):
        async for piece in pieces:
            if not response.prepared:
                await response.prepare(request)
            try:
                await asyncio.wait_for(response.write(piece), PATIENCE_SECONDS)
            except (OSError, asyncio.TimeoutError):
                if request.transport is not None:
                    request.transport.abort()
                break
    return response
