"""A service of the rehearsal in a thread of the tests, as its command line describes it.

A process of its own takes 0.7 s of a processor to start; it is for tests of the process.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from releaser.rehearsal.serving import HOST

from .stand_ins import ServerThread


class Service(Protocol):
    """The module of a service."""

    create_parser: Callable[[], ArgumentParser]
    open_world: Callable[[Namespace], web.Application]


class Served:
    """A running service, at an address of its own.

    Attributes:
        url: Its address.
    """

    def __init__(self, service: Service, *arguments: object) -> None:
        given = service.create_parser().parse_args([str(one) for one in arguments])
        given.world.mkdir(parents=True, exist_ok=True)
        self._runner = web.AppRunner(service.open_world(given), access_log=None, shutdown_timeout=0.1)
        self._thread: ServerThread | None = ServerThread()
        self.url: str = self._thread.run(self._start())

    def stop(self) -> None:
        """End it, as a process ends that is told to; a second time it does nothing."""
        if self._thread:
            self._thread.run(self._runner.cleanup())
            self._thread.stop()
            self._thread = None

    async def _start(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        return f"http://{HOST}:{self._runner.addresses[0][1]}"
