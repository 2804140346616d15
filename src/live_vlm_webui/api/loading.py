"""Import heavy modules after the start, or when they are first needed: in a thread, one at a time."""

from __future__ import annotations

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

IMPORTER = "importer"
"""How the name of the thread begins."""

FOR_A_CAMERA = (
    "av",
    "aioice",
    "aiortc",
    "live_vlm_webui.media.webrtc.camera",
    "numpy",
    "live_vlm_webui.media.jpeg",
    "live_vlm_webui.sessions.scene_change",
)
"""What a browser's camera and the first question about it need, in pieces, so that little is done after a stop."""


class Loader:
    """Imports modules in a thread.

    One at a time: importing PyAV for the first time in two threads at once fails, because its modules import each other
    in circles. Code that uses it in its own threads is therefore started after it was loaded here.
    """

    def __init__(self) -> None:
        self._loaded: dict[str, asyncio.Task[ModuleType]] = {}
        self._lock = asyncio.Lock()
        # Its own: asyncio.run waits for the threads of asyncio.to_thread, and an import cannot be interrupted.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=IMPORTER)

    async def load(self, name: str) -> ModuleType:
        """Return the module ``name``; import it first if necessary.

        Raises:
            ImportError: It cannot be imported; the next call tries again.
        """
        task = self._loaded.get(name)
        if task is None or (task.done() and task.exception() is not None):
            task = self._loaded[name] = asyncio.create_task(self._load(name), name=f"load {name}")
        return await asyncio.shield(task)  # a cancelled caller must not cancel it for others

    def begin(self, *names: str) -> None:
        """Start importing modules that will be needed soon, in this order; ``load`` raises their errors."""
        for name in names:
            if name not in self._loaded:
                task = self._loaded[name] = asyncio.create_task(self._load(name), name=f"load {name}")
                task.add_done_callback(_seen)

    async def begun(self) -> None:
        """Wait for all that was begun, whether it can be imported or not."""
        if self._loaded:
            await asyncio.wait(self._loaded.values())

    def close(self) -> None:
        """Import nothing more; the import in progress ends in its thread."""
        for task in self._loaded.values():
            task.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _load(self, name: str) -> ModuleType:
        async with self._lock:
            return await asyncio.get_running_loop().run_in_executor(self._thread, importlib.import_module, name)


def _seen(task: asyncio.Task[ModuleType]) -> None:
    """Mark a task's exception as retrieved: the module may not be needed after all."""
    if not task.cancelled():
        task.exception()
