"""The web server's life, from ready to stopped."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys

from aiohttp import web

from live_vlm_webui import __version__
from live_vlm_webui.app import create_app
from live_vlm_webui.listen import url_of
from live_vlm_webui.settings import Settings

SHUTDOWN_SECONDS = 1.0
"""How long requests in progress may take after Ctrl-C; idle connections are closed at once."""

logger = logging.getLogger(__name__)


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve on ``listener`` until SIGINT or SIGTERM; print the address when ready."""
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    asyncio.run(serve(settings, listener))


async def serve(settings: Settings, listener: socket.socket) -> None:
    """As ``run``, in a running event loop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    access_log = logging.getLogger("aiohttp.access") if settings.log_level == "debug" else None
    runner = web.AppRunner(create_app(settings), access_log=access_log, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        url = url_of(listener)
        if settings.port not in {0, listener.getsockname()[1]}:
            logger.warning("port %d is in use: taking %d", settings.port, listener.getsockname()[1])
        sys.stdout.write(f"live-vlm-webui {__version__} is ready: {url} (Ctrl-C stops)\n")
        sys.stdout.flush()
        await stopped.wait()
    finally:
        await runner.cleanup()
    logger.info("stopped")
