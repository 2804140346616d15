"""Loading what is heavy where it is first needed: off the event loop, one thing after the other."""

from __future__ import annotations

import asyncio
import importlib
from types import ModuleType


class Loader:
    """Loads modules in a thread.

    One at a time: the first imports of PyAV by two threads at once break each other, as its modules import in circles.
    So what uses it in threads of its own is made after it was loaded here.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, asyncio.Task[ModuleType]] = {}
        self._lock = asyncio.Lock()

    async def load(self, name: str) -> ModuleType:
        """The module of that name.

        Raises:
            ImportError: It cannot be loaded; the next call tries again.
        """
        task = self._loaded.get(name)
        if task is None or (task.done() and task.exception() is not None):
            task = self._loaded[name] = asyncio.create_task(self._load(name), name=f"load {name}")
        return await asyncio.shield(task)  # who waits for it no longer leaves the others what they wait for

    async def _load(self, name: str) -> ModuleType:
        async with self._lock:
            return await asyncio.to_thread(importlib.import_module, name)
