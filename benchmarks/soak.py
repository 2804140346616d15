"""Run twenty sessions for five minutes, while the model, a camera and an RTSP host fail and recover.

::

    python benchmarks/soak.py [--seconds 300] [--sessions 20]

Two sessions get 1280x720 at 30 frames a second, one an RTSP stream, the others 320x180; a browser watches each. Prints
figures beside their budgets; exit status 1 if one is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

from world import Figure, Meter, Peer, Watcher, World, app_server, connect, free_port, model_server, rtsp_server, video

MODEL_SECONDS = 0.5
SETTLED_SECONDS = 60.0
"""Memory must not grow after this time."""
NOTICE_SECONDS = 20.0
"""The time limit for a session to report a failure or a recovery."""
MEMORY_SECONDS = 15.0
LARGE, LARGE_SESSIONS = (1280, 720), 2
SMALL = (320, 180)


class Soak:
    """A run against a server.

    Args:
        world: The server.
        meter: Its process.
        seconds: How long it lasts.
    """

    def __init__(self, world: World, meter: Meter, seconds: float) -> None:
        self.world = world
        self.meter = meter
        self.seconds = seconds
        self.watchers: list[Watcher] = []
        self.peers: list[Peer] = []
        self.figures: list[Figure] = []
        self._began = 0.0

    async def connect(self, count: int, stream: str) -> None:
        """Connect ``count`` sessions, the last to ``stream``, and wait until each has an answer."""
        large = video.encode("h264", width=LARGE[0], height=LARGE[1], seconds=4, bit_rate=1_500_000)
        small = video.encode("h264", width=SMALL[0], height=SMALL[1], seconds=4, bit_rate=300_000)
        for number in range(count):
            session = await self.world.session()
            self.watchers.append(await self.world.watch(session))
            if number == count - 1:
                await self.world.stream(session, stream)
            else:
                self.peers.append(await self.world.camera(session, large if number < LARGE_SESSIONS else small))
        for watcher in self.watchers:
            await watcher.until("answer.finished", NOTICE_SECONDS)
        self._began = time.monotonic()

    async def run(self, models: Program, host: Program) -> None:
        """Run for the given time: kill the model, unplug a camera, suspend the RTSP host, and restore them."""
        growth = asyncio.create_task(self._watch_memory())
        await self._at(0.3)
        models.kill()
        await self._told("the model died", self.watchers, "answer.failed")
        await self._at(0.4)
        models.start()
        await self._told("the model came back", self.watchers, "answer.finished")
        await self._at(0.5)
        self.peers[-1].track.pause()
        await self._told("a camera was unplugged", self.watchers[-2:-1], "camera", "stalled")
        await self._at(0.6)
        self.peers[-1].track.resume()
        await self._told("the camera was there again", self.watchers[-2:-1], "answer.finished")
        await self._at(0.7)
        host.send_signal(signal.SIGSTOP)
        await self._told("the RTSP host fell silent", self.watchers[-1:], "camera", "stalled")
        await self._at(0.8)
        host.send_signal(signal.SIGCONT)
        await self._told("the RTSP host spoke again", self.watchers[-1:], "answer.finished")
        await self._at(1)
        await growth
        await self._count_events()

    async def _at(self, fraction: float) -> None:
        """Wait until this share of the time has passed."""
        await asyncio.sleep(max(0.0, self._began + fraction * self.seconds - time.monotonic()))

    async def _told(self, what: str, watchers: Sequence[Watcher], kind: str, state: str = "") -> None:
        """Measure the time until all ``watchers`` have received ``what``."""
        began, since = time.monotonic(), {watcher.session: len(watcher.events) for watcher in watchers}
        for watcher in watchers:
            await watcher.until(kind, NOTICE_SECONDS, since[watcher.session], state)
        took = time.monotonic() - began
        self.figures.append(Figure(f"{what}: told after", took, NOTICE_SECONDS, "s", f"{len(watchers)} sessions"))

    async def _watch_memory(self) -> None:
        """Compare the memory after ``SETTLED_SECONDS`` with that at the end."""
        settled = min(SETTLED_SECONDS, self.seconds / 5)
        await asyncio.sleep(settled)
        before, load = await self._memory(), self.meter.load(self.seconds - 2 * MEMORY_SECONDS - settled)
        percent, after = await load, await self._memory()
        self.figures += [
            Figure(
                "memory after the first minute, growth to the end",
                after - before,
                0.02 * before,
                "MB",
                f"from {before:.0f} to {after:.0f} MB, medians of {MEMORY_SECONDS:g} s",
            ),
            Figure("processor, all sessions", percent, 200, "% of a core"),
        ]

    async def _memory(self) -> float:
        values = []
        for _ in range(round(MEMORY_SECONDS)):
            values.append(self.meter.memory)
            await asyncio.sleep(1)
        return statistics.median(values)

    async def _count_events(self) -> None:
        """Compare the browsers' events with the histories: answers missing, unfinished, or with other text."""
        told = dropped = 0
        for watcher in self.watchers:
            texts: dict[int, str] = {}
            for event in watcher.of("answer.delta"):
                texts[event["id"]] = texts.get(event["id"], "") + event["text"]
            finished = {event["id"]: event["text"] for event in watcher.of("answer.finished")}
            begun = [event["id"] for event in watcher.of("answer.started")]
            ended = {*finished, *(event["id"] for event in watcher.of("answer.failed"))}
            kept = {answer["id"]: answer["text"] for answer in await self.world.answers(watcher.session)}
            told += len(finished)
            dropped += sum(finished.get(number) != text for number, text in kept.items() if number < begun[-1])
            dropped += sum(texts.get(number) != text for number, text in finished.items())
            dropped += sum(number not in ended for number in begun[:-1]) + bool(watcher.closed)
        self.figures.append(Figure("events dropped", dropped, 0, "events", f"{told} answers told"))


class Program:
    """A program that can be killed and restarted."""

    def __init__(self, make: Callable[[], AbstractContextManager[tuple[subprocess.Popen[str], str]]]) -> None:
        self._make = make
        self._stack = ExitStack()
        self.address = ""
        self.start()

    def start(self) -> None:
        """Start it."""
        self.process, self.address = self._stack.enter_context(self._make())

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self._stack.close()

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def close(self) -> None:
        """Kill it, even if it is suspended."""
        self.process.send_signal(signal.SIGCONT)
        self._stack.close()


def soak(seconds: float, sessions: int) -> list[Figure]:
    """Run it, and return the figures in the order in which they were measured."""
    port = free_port()
    with ExitStack() as stack:
        models = Program(lambda: model_server("--port", str(port), "--total", str(MODEL_SECONDS)))
        stack.callback(models.close)
        host = Program(rtsp_server)
        stack.callback(host.close)
        options = ("--api-base", models.address, "--log-level", "error")
        server, url = stack.enter_context(app_server(*options))

        async def run() -> tuple[list[Figure], float]:
            async with connect(url, models.address) as world:
                one = Soak(world, Meter(server.pid), seconds)
                await one.connect(sessions, host.address)
                await one.run(models, host)
                began = time.monotonic()
                server.send_signal(signal.SIGTERM)
                await asyncio.to_thread(server.wait, 10)
                return one.figures, time.monotonic() - began

        figures, stopped = asyncio.run(run())
    return [*figures, Figure(f"stop, with {sessions} sessions open", stopped, 3, "s")]


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--sessions", type=int, default=20, help="number of sessions, at least 4 (default: 20)")
    arguments = parser.parse_args()
    figures = soak(arguments.seconds, arguments.sessions)
    for figure in figures:
        sys.stdout.write(f"{figure}\n")
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
