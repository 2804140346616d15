"""Serve one stand-in on loopback: a process that says where it listens and that never outlives its purpose.

It prints exactly one JSON line, ``{"service": "pypi", "url": "http://127.0.0.1:40123"}``, when it accepts connections,
and nothing else on stdout. SIGTERM and SIGINT stop it; with ``stop_with_stdin`` so does the end of its standard input,
which the kernel closes when the parent dies, however it dies.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from contextlib import suppress

from aiohttp import web

from releaser.errors import UsageError

HOST = "127.0.0.1"

# How long a stopping server waits for answers that are under way; a stand-in may be holding one on purpose.
SHUTDOWN_SECONDS = 0.5


def serve(app: web.Application, name: str, port: int = 0, stop_with_stdin: bool = False) -> None:
    """Serve ``app`` on 127.0.0.1 until it is told to stop.

    Args:
        app: The stand-in; its ``cleanup_ctx`` runs here.
        name: What the ready line calls the service.
        port: The port to bind; 0 takes a free one.
        stop_with_stdin: Stop as well when standard input ends.

    Raises:
        UsageError: The port is taken.
    """
    asyncio.run(_serve(app, name, port, stop_with_stdin))


async def _serve(app: web.Application, name: str, port: int, stop_with_stdin: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise UsageError(
                f"{name} cannot listen on {HOST}:{port}: {error.strerror}",
                "Give another --port, or 0 to take any that is free.",
            ) from error
        bound = runner.addresses[0][1]
        sys.stdout.write(json.dumps({"service": name, "url": f"http://{HOST}:{bound}"}) + "\n")
        sys.stdout.flush()
        if stop_with_stdin:
            threading.Thread(target=_stop_at_end_of_stdin, args=(loop, stop), daemon=True).start()
        await stop.wait()
    finally:
        await runner.cleanup()


def _stop_at_end_of_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # os.read, not sys.stdin: a daemon thread inside the buffered reader's lock aborts the interpreter at exit.
    while os.read(0, 4096):
        pass
    with suppress(RuntimeError):  # a signal was first, and the loop has ended
        loop.call_soon_threadsafe(stop.set)
