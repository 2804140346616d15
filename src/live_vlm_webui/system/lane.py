"""A thread that makes calls for the event loop, one at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Lane:
    """A daemon thread, started by the first call: a call that never returns blocks neither the stop nor other lanes.

    Args:
        name: The name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Call ``function`` in the thread, after all previous calls.

        Returns:
            A future of its result, which need not be awaited.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            try:
                result = function()
            except Exception as error:  # noqa: BLE001  # passed on to the caller
                _deliver(loop, _fail, future, error)
            else:
                _deliver(loop, _succeed, future, result)

        self._jobs.put(job)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        return future

    def stop(self) -> None:
        """End the thread after the pending calls."""
        self._jobs.put(None)

    def _run(self) -> None:
        while job := self._jobs.get():
            job()


def _deliver(
    loop: asyncio.AbstractEventLoop, how: Callable[..., None], future: asyncio.Future[T], what: object
) -> None:
    try:
        loop.call_soon_threadsafe(how, future, what)
    except RuntimeError:
        return  # the event loop was closed during the call


def _succeed(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # mark as retrieved: no warning if it is not awaited
