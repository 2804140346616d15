"""Waiting until asyncio has closed what a test opened."""

from __future__ import annotations

import asyncio
import gc
import time

PATIENCE_SECONDS = 60.0


async def all_closed() -> None:
    """Wait until no connection of this process's event loops is open.

    A client that is closed does not wait for the goodbye of TLS. What is left of it would be called a leak, in the
    test that happens to run when it is collected.

    Raises:
        TimeoutError: One is still open after ``PATIENCE_SECONDS``.
    """

    end = time.monotonic() + PATIENCE_SECONDS
    while any(_is_open(one) for one in gc.get_objects()):
        if time.monotonic() > end:
            raise TimeoutError("a connection is still open")
        await asyncio.sleep(0.02)


def _is_open(one: object) -> bool:
    if not issubclass(type(one), asyncio.Transport):
        return False
    try:
        socket = one.get_extra_info("socket")
    except AttributeError:  # of TLS and aborted: it has let go of its connection, and some Pythons do not expect it
        return False
    return socket is not None and socket.fileno() >= 0
