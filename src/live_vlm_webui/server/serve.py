"""Run the web server from start to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from aiohttp import web

from live_vlm_webui import __version__, logs
from live_vlm_webui.api.keys import LOADER
from live_vlm_webui.api.loading import FOR_A_CAMERA, IMPORTER
from live_vlm_webui.app import create_app
from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import OutputError, SettingsError
from live_vlm_webui.memory import share_memory
from live_vlm_webui.network.hosts import Hosts
from live_vlm_webui.security.login import LOGIN
from live_vlm_webui.server import pid_file
from live_vlm_webui.server.acceptor import Acceptor
from live_vlm_webui.server.ready import Ready, announce

SHUTDOWN_SECONDS = 0.5
"""How long handlers may take to end after Ctrl-C, and again after their connections were closed."""
STOP_SECONDS = 2.7
"""After this time the process exits, finished or not."""
IMPORT_SECONDS = 0.5
"""How long a stop waits for the import in progress."""
IDLE_SECONDS = 75.0
"""A connection without a request is closed after this time; aiohttp's default is an hour."""
STOP_FAILED = 1
INTERRUPTED = 130
SAME_SECONDS = 0.3
"""Two signals within this time count as one: ``timeout`` signals the process and its group."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)

logger = logging.getLogger(__name__)


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve on ``listener`` until SIGINT or SIGTERM; print the address when ready.

    Raises:
        SettingsError: The certificate or the token can be neither read nor created.
    """
    logs.configure(settings)
    share_memory()
    # OpenBLAS starts a thread per core when numpy is imported; nothing here multiplies matrices that are worth it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    asyncio.run(serve(create_app, settings, listener))
    leave_import()


async def serve(make_app: Callable[[Settings], web.Application], settings: Settings, listener: socket.socket) -> None:
    """Serve like ``run``, in a running event loop, with any application."""
    context = certificate = None
    if settings.ssl:
        from live_vlm_webui.tls.context import server_context

        context, certificate = server_context(settings)
    app = make_app(settings)
    if settings.login_required:
        _ = app[LOGIN].token  # created now, so that a failure is reported at start
    access_log = logging.getLogger("aiohttp.access") if settings.log_level == "debug" else None
    runner = web.AppRunner(
        app,
        access_log=access_log,
        access_log_class=logs.AccessLogger,
        shutdown_timeout=SHUTDOWN_SECONDS,
        keepalive_timeout=IDLE_SECONDS,
    )
    acceptor: Acceptor | None = None
    try:
        await runner.setup()
        assert runner.server is not None
        acceptor = Acceptor(listener, runner.server, context, Hosts(settings))
        address, port = listener.getsockname()[:2]
        if settings.port not in {0, port}:
            logger.warning("port %d is in use; using port %d", settings.port, port)
        code = app[LOGIN].make_code() if settings.login_required else ""
        ready = Ready(settings, port, code, certificate.fingerprint if certificate else "")
        with stop_signals() as stopped, recorded(settings, address, port, ready.url):
            acceptor.open()
            try:
                announce(ready, sys.stdout)
            except OutputError as error:  # the page can be used all the same
                logger.warning("%s; the page is at %s", error.message, ready.url)
            if LOADER in app:  # so that the page that is opened next finds it loaded, or waits less
                app[LOADER].begin(*FOR_A_CAMERA)
            await stopped.wait()
    finally:
        if acceptor is not None:
            await acceptor.close()
        await runner.cleanup()
        if acceptor is not None:
            await acceptor.break_off()
    logger.info("stopped")


@contextmanager
def recorded(settings: Settings, address: str, port: int, url: str) -> Iterator[None]:
    """Keep a PID file for ``live-vlm-webui-stop``; log a warning if it cannot be written."""
    with ExitStack() as stack:
        try:
            stack.enter_context(
                pid_file.kept(settings.data_dir, pid_file.this_process(address, port, url, __version__))
            )
        except SettingsError as error:
            logger.warning("live-vlm-webui-stop will not find this server: %s", error.message)
        yield


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """Yield an event set by the first of ``SIGNALS``; a second one, or ``STOP_SECONDS``, ends the process."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()

    def stop() -> None:
        since = time.monotonic()

        def again(_number: int, _frame: FrameType | None) -> None:
            if time.monotonic() - since > SAME_SECONDS:
                os._exit(INTERRUPTED)

        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, again)
        overdue = threading.Timer(STOP_SECONDS, leave)
        overdue.daemon = True
        overdue.start()
        stopped.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield stopped
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def leave_import() -> None:
    """End the process if an import is in progress: Python would wait for it, and all else has ended."""
    for thread in threading.enumerate():
        if thread.name.startswith(IMPORTER):
            thread.join(IMPORT_SECONDS)
            if thread.is_alive():
                logging.shutdown()
                os._exit(0)


def leave() -> None:
    """Log which threads are still running, and end the process."""
    held = ", ".join(sorted(thread.name for thread in threading.enumerate() if not thread.daemon))
    logger.error("not stopped within %.1f s; exiting anyway; threads still running: %s", STOP_SECONDS, held)
    logging.shutdown()
    os._exit(STOP_FAILED)
