"""Read all sources, in a thread, and survive the failure of each.

All share one thread. A source that does not return in time keeps that thread, and the others continue in a new one: a
hanging sensor delays one sample, once, and costs one thread.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone

from live_vlm_webui.system.figures import (
    Board,
    Cpu,
    Gpu,
    Memory,
    Reading,
    Sample,
    SourceState,
    filled,
    without_figures,
)
from live_vlm_webui.system.lane import Lane
from live_vlm_webui.system.source import Absent, Source

PATIENCE_SECONDS = 1.0
FIRST_RETRY_SECONDS = 2.0
LAST_RETRY_SECONDS = 60.0
CLOSE_SECONDS = 0.3

logger = logging.getLogger(__name__)


class Sampler:
    """Samples all sources.

    Args:
        sources: The sources; the first one with a figure counts, later ones fill in missing figures.
        patience: The time limit of a source, in seconds.
        clock: A monotonic clock, in seconds.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._posts = [_Post(source) for source in sources]
        self._patience = patience
        self._clock = clock
        self._lane = Lane("sensors")

    async def sample(self) -> Sample:
        """Read all sources that are due. Errors of sources are not raised."""
        for post in self._posts:
            if post.pending is None and self._clock() >= post.retry_at:
                post.pending = (post.lane or self._lane).call(post.step)
                if post.lane is None:
                    await asyncio.wait({post.pending}, timeout=self._patience)
            if post.pending is None:
                continue
            if post.pending.done():
                post.take(self._clock())
            elif post.lane is None:
                post.lane, self._lane = self._lane, Lane("sensors")
                post.hang(f"It did not respond within {self._patience:g} s.")
        return self._merged()

    async def close(self) -> None:
        """Close the sources and end the threads; a hanging one ends with the process."""
        closing = [(post.lane or self._lane).call(post.source.close) for post in self._posts if post.opened]
        lanes = {self._lane, *(post.lane for post in self._posts if post.lane is not None)}
        for lane in lanes:
            lane.stop()
        if closing:
            _, late = await asyncio.wait(closing, timeout=CLOSE_SECONDS)
            if late:
                logger.warning("a sensor hangs; its thread is abandoned")

    async def call(self, function: Callable[[], object]) -> None:
        """Call another blocking function in the sensors' thread."""
        await asyncio.wait({self._lane.call(function)}, timeout=self._patience)

    def _merged(self) -> Sample:
        readings = [post.reading for post in self._posts]
        return Sample(
            at=datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            gpus=_gpus(readings),
            cpu=next((reading.cpu for reading in readings if reading.cpu), Cpu()),
            memory=next((reading.memory for reading in readings if reading.memory), Memory()),
            board=_board(readings),
            sources=tuple(post.state for post in self._posts),
        )


class _Post:
    """A source and its state."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.state = SourceState(source.name)
        self.reading = Reading()
        self.opened = False
        self.retry_at = float("-inf")
        self.failures = 0
        self.pending: asyncio.Future[Reading] | None = None
        self.lane: Lane | None = None

    def step(self) -> Reading:
        """Open the source if necessary and read it, in the thread; close it on failure."""
        try:
            if not self.opened:
                self.opened = True
                self.source.open()
            return self.source.read()
        except Exception:
            self.opened = False
            with suppress(Exception):  # the first error is the relevant one
                self.source.close()
            raise

    def take(self, now: float) -> None:
        """Process the result of ``step``."""
        pending, self.pending = self.pending, None
        assert pending is not None
        error = pending.exception()
        if error is None:
            self.reading = pending.result()
            self._become(SourceState(self.source.name, "ok"))
            self.failures, self.retry_at = 0, now
            return
        if isinstance(error, Absent):
            self.retry_at = now + LAST_RETRY_SECONDS
            self._become(SourceState(self.source.name, "absent", str(error)))
            return
        self.retry_at = now + min(FIRST_RETRY_SECONDS * 2**self.failures, LAST_RETRY_SECONDS)
        self.failures = min(self.failures + 1, 16)
        self._become(SourceState(self.source.name, "failing", _words(error)))

    def hang(self, reason: str) -> None:
        """Mark the source as hanging until ``step`` returns."""
        self._become(SourceState(self.source.name, "hanging", reason))

    def _become(self, state: SourceState) -> None:
        if state.state != "ok":
            gpus = tuple(without_figures(gpu, state.reason) for gpu in self.reading.gpus)
            self.reading = Reading(gpus=gpus)
        if state != self.state:
            level = logging.WARNING if state.state in {"failing", "hanging"} else logging.DEBUG
            logger.log(level, "sensors %s: %s %s", state.name, state.state, state.reason)
        self.state = state


def _words(error: BaseException) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"{error.cmd[0]} took longer than {error.timeout:g} s."
    if isinstance(error, subprocess.CalledProcessError):
        return f"{error.cmd[0]} exited with status {error.returncode}."
    return str(error) or type(error).__name__


def _gpus(readings: Sequence[Reading]) -> tuple[Gpu, ...]:
    """Return all GPUs once: a machine has at most one integrated GPU, reported by several sources."""
    gpus: list[Gpu] = []
    for reading in readings:
        for gpu in reading.gpus:
            same = next((at for at, known in enumerate(gpus) if known.integrated and gpu.integrated), None)
            if same is None:
                gpus.append(gpu)
            else:
                gpus[same] = filled(gpus[same], gpu)
    return tuple(gpus)


def _board(readings: Sequence[Reading]) -> Board | None:
    boards = [reading.board for reading in readings if reading.board]
    if not boards:
        return None
    first = boards[0]
    for other in boards[1:]:
        first = replace(
            first,
            power_watts=other.power_watts if first.power_watts is None else first.power_watts,
            rails_watts=first.rails_watts or other.rails_watts,
            temperatures_celsius=first.temperatures_celsius or other.temperatures_celsius,
            power_mode=first.power_mode or other.power_mode,
        )
    return first
