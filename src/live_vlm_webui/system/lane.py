"""A thread that makes calls for the event loop, one after another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Lane:
    """One daemon thread, started with the first call: a call that never returns holds up neither the stop nor others.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Call ``function`` in the thread, after all that was asked for before.

        Returns:
            What it returns or raises. Nobody needs to wait for it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            try:
                result = function()
            except Exception as error:  # noqa: BLE001  # it is told to who asked
                _tell(loop, _fail, future, error)
            else:
                _tell(loop, _succeed, future, result)

        self._jobs.put(job)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return future

    def stop(self) -> None:
        """End the thread as soon as it has made the calls that it was asked for."""
        self._jobs.put(None)

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while job := self._jobs.get():
            job()


def _tell(loop: asyncio.AbstractEventLoop, how: Callable[..., None], future: asyncio.Future[T], what: object) -> None:
    try:
        loop.call_soon_threadsafe(how, future, what)
    except RuntimeError:
        return  # the loop was closed while a call hung: nobody waits any more


def _succeed(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # taken note of: who does not wait is not to be warned
