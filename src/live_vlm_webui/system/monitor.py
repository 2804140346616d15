"""Samples the machine's sensors at an interval, once for all who look."""

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
    """What the machine is, and how busy it is.

    Made anywhere; ``run`` samples in the event loop that it is run in.

    Args:
        interval: Seconds between samples, 0.25 to 60.
        sources: Where figures come from; None takes those that fit this machine.
        patience: How long one source may take, in seconds.
        history: How many samples are kept.

    Raises:
        InputError: The interval is out of its range.
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
        """What the machine is; empty before ``run`` has begun."""
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
        """Seconds between samples. A new value holds at once.

        Raises:
            InputError: The new value is out of its range.
        """
        return self._interval

    @interval.setter
    def interval(self, seconds: float) -> None:
        self._interval = checked_interval(seconds)
        self._changed.set()

    def watch(self, watcher: Callable[[Sample], None]) -> Callable[[], None]:
        """Call ``watcher`` in the event loop with each new sample.

        Returns:
            What ends that.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def to_json(self) -> dict[str, object]:
        """All of it, as browsers are told at first; afterwards they are told each sample."""
        return {
            "machine": self._machine.to_json(),
            "interval": self._interval,
            "sample": self.sample.to_json() if self.sample else None,
            "history": self._history.to_json(),
        }

    async def run(self, _app: object = None) -> AsyncIterator[None]:
        """Sample from here until the generator is resumed: for an application's ``cleanup_ctx``."""
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
            except Exception:  # one watcher's fault is not the others'
                logger.exception("a watcher of the monitor failed")


def checked_interval(seconds: float) -> float:
    """Take ``seconds`` if it is an interval.

    Raises:
        InputError: It is none.
    """
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and math.isfinite(seconds)
    if not number or not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise InputError(
            f"{seconds!r} is not an interval of the system monitor.",
            f"Give seconds, {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g}.",
        )
    return float(seconds)


def default_sources(root: Path = Path("/"), system: str = sys.platform) -> tuple[Source, ...]:
    """The sources that can be there on such a machine, the best first."""
    if system == "darwin":
        return (AppleSource(lambda: read_machine(root, system).memory_bytes), CpuSource(root))
    if chip_of(root):
        return (NvmlSource(), JetsonSource(root), JtopSource(), CpuSource(root))
    return (NvmlSource(), CpuSource(root))
