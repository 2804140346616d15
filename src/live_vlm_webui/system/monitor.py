"""Sample the machine's sensors at an interval, once for all browsers."""

from __future__ import annotations

import asyncio
import logging
import math
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from live_vlm_webui.errors import InputError
from live_vlm_webui.system.apple import AppleSource
from live_vlm_webui.system.cpu import CpuSource
from live_vlm_webui.system.figures import Sample
from live_vlm_webui.system.history import History
from live_vlm_webui.system.jetson import JetsonSource, chip_of
from live_vlm_webui.system.jtop import JtopSource
from live_vlm_webui.system.machine import Machine, read_machine
from live_vlm_webui.system.nvml import NvmlSource
from live_vlm_webui.system.sampler import PATIENCE_SECONDS, Sampler
from live_vlm_webui.system.source import Source

SHORTEST_SECONDS = 0.25
LONGEST_SECONDS = 60.0
DEFAULT_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Monitor:
    """The system monitor.

    ``run`` samples in the event loop in which it is called.

    Args:
        interval: Seconds between samples, 0.25 to 60.
        sources: The sources of figures; None uses those of this machine.
        patience: The time limit of a source, in seconds.
        history: The number of samples kept.

    Raises:
        InputError: The interval is out of range.
    """

    def __init__(
        self,
        interval: float = DEFAULT_SECONDS,
        *,
        sources: Sequence[Source] | None = None,
        patience: float = PATIENCE_SECONDS,
        history: int = 240,
    ) -> None:
        self._interval = checked_interval(interval)
        self._changed = asyncio.Event()
        self._sources = default_sources() if sources is None else tuple(sources)
        self._patience = patience
        self._history = History(history)
        self._machine = Machine("")
        self._watchers: list[Callable[[Sample], None]] = []

    @property
    def machine(self) -> Machine:
        """The machine's description; empty before ``run``."""
        return self._machine

    @property
    def sample(self) -> Sample | None:
        """The newest sample; None before the first."""
        return self._history.newest

    @property
    def history(self) -> tuple[Sample, ...]:
        """The last samples, oldest first."""
        return tuple(self._history)

    @property
    def interval(self) -> float:
        """Seconds between samples. A new value takes effect at once.

        Raises:
            InputError: The new value is out of range.
        """
        return self._interval

    @interval.setter
    def interval(self, seconds: float) -> None:
        self._interval = checked_interval(seconds)
        self._changed.set()

    def watch(self, watcher: Callable[[Sample], None]) -> Callable[[], None]:
        """Call ``watcher`` in the event loop with each new sample.

        Returns:
            A function that removes the watcher.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def to_json(self) -> dict[str, object]:
        """Return the machine, the newest sample and the history, as sent to browsers first."""
        return {
            "machine": self._machine.to_json(),
            "interval": self._interval,
            "sample": self.sample.to_json() if self.sample else None,
            "history": self._history.to_json(),
        }

    async def run(self, _app: object = None) -> AsyncIterator[None]:
        """Sample until the generator is resumed; for an application's ``cleanup_ctx``."""
        sampler = Sampler(self._sources, self._patience)
        await sampler.call(self._read_machine)
        task = asyncio.create_task(self._sample_for_ever(sampler), name="monitor")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await sampler.close()

    def _read_machine(self) -> None:
        self._machine = read_machine()

    async def _sample_for_ever(self, sampler: Sampler) -> None:
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            self._publish(await sampler.sample())
            while loop.time() < started + self._interval:
                self._changed.clear()
                timer = loop.call_at(started + self._interval, self._changed.set)
                try:
                    await self._changed.wait()
                finally:
                    timer.cancel()

    def _publish(self, sample: Sample) -> None:
        self._history.append(sample)
        for watcher in tuple(self._watchers):
            try:
                watcher(sample)
            except Exception:  # must not affect the other watchers
                logger.exception("a watcher of the monitor failed")


def checked_interval(seconds: float) -> float:
    """Return ``seconds`` if it is a valid interval.

    Raises:
        InputError: It is not.
    """
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and math.isfinite(seconds)
    if not number or not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise InputError(
            f"{seconds!r} is not a valid monitor interval",
            f"Use {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g} seconds.",
        )
    return float(seconds)


def default_sources(root: Path = Path("/"), system: str = sys.platform) -> tuple[Source, ...]:
    """Return the sources for a machine, best first."""
    if system == "darwin":
        return (AppleSource(lambda: read_machine(root, system).memory_bytes), CpuSource(root))
    if chip_of(root):
        return (NvmlSource(), JetsonSource(root), JtopSource(), CpuSource(root))
    return (NvmlSource(), CpuSource(root))
