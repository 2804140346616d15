"""The product's server with an application that does not want to end: for tests of how it is stopped.

``python stubborn_server.py FAULT``; the faults are below. It prints the ready line as the product does.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator

from aiohttp import web

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.security import login
from live_vlm_webui.security import middlewares as security
from live_vlm_webui.server import serve as server
from live_vlm_webui.server.listen import open_listener


async def stream(request: web.Request) -> web.StreamResponse:
    """A stream without end, as of pictures."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"picture")
        await asyncio.sleep(0.01)


async def socket(request: web.Request) -> web.WebSocketResponse:
    """A WebSocket that waits for a browser which says nothing."""
    opened = web.WebSocketResponse()
    await opened.prepare(request)
    async for _ in opened:
        pass
    return opened


async def deaf(_request: web.Request) -> web.Response:
    """A handler that does not listen when it is cancelled."""
    while True:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            continue


async def slow_to_free(_app: web.Application) -> AsyncIterator[None]:
    """A part that does not come to an end."""
    yield
    await asyncio.sleep(1000)


def make_app(settings: Settings) -> web.Application:
    app = web.Application(middlewares=security.middlewares(settings))
    app[login.LOGIN] = login.Login(settings)
    app.add_routes([web.get("/stream", stream), web.get("/ws", socket), web.get("/deaf", deaf)])
    if fault == "part":
        app.cleanup_ctx.append(slow_to_free)
    if fault == "thread":
        threading.Thread(target=time.sleep, args=(1000,), name="decoder of a silent host").start()
    return app


def main() -> None:
    settings = Settings(port=0, ssl=fault == "https")
    with open_listener(settings) as listener:
        server.logs.configure(settings)
        asyncio.run(server.serve(make_app, settings, listener))


if __name__ == "__main__":
    fault = sys.argv[1]
    main()
