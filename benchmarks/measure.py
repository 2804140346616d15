"""Measure a running server and print the figures with their budgets.

::

    python benchmarks/measure.py                                   start a server
    python benchmarks/measure.py https://192.0.2.7:8090 --token @token.txt --model http://192.0.2.9:8000/v1

Without ``--model`` a model server that answers in 300 ms is started here; the server must be able to reach it. The
figures of the server's process need ``--pid``, or a server that is started here.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from world import Figure, Meter, World, app_server, connect, model_server, video

MODEL_SECONDS = 0.3


class Effort(NamedTuple):
    """The duration of measurements: of one session, and of each round of one or ten viewers."""

    answers_seconds: float
    rounds: int
    round_seconds: float


WHOLE = Effort(answers_seconds=19.0, rounds=4, round_seconds=5.0)
BRIEF = Effort(answers_seconds=9.5, rounds=2, round_seconds=2.0)


async def one_session(world: World, meter: Meter | None, effort: Effort) -> list[Figure]:
    """Measure one session: a camera of 1280x720 at 30 frames a second, one browser, a model that is always asked."""
    clip = video.encode("h264", width=1280, height=720, seconds=4, bit_rate=1_500_000)
    session = await world.session()
    watcher = await world.watch(session)
    began = time.monotonic()
    await world.camera(session, clip)
    await watcher.until("answer.finished", 20)
    first = time.monotonic() - began
    await asyncio.sleep(3)  # the bit rate and the allocator settle
    since = len(watcher.events)
    seconds, share = effort.answers_seconds, effort.answers_seconds / WHOLE.answers_seconds
    load = meter.load(seconds) if meter else asyncio.sleep(seconds, 0.0)
    percent = await load
    finished = watcher.of("answer.finished", since)
    overheads = [event["numbers"]["overhead"] for event in finished]
    # A free model gets the newest frame at once, which may be as old as the interval between two frames.
    ages = [event["numbers"]["capture_age"] for event in finished]
    figures = [
        Figure("first answer after the camera's offer", first, 3, "s"),
        Figure(
            f"answers in {seconds:g} s from a model that takes {1000 * MODEL_SECONDS:g} ms",
            len(finished),
            60 * share,
            "answers",
            f"the widely used implementation gets {14 * share:g}",
            at_least=True,
        ),
        Figure(
            "frame taken to request sent, 95th percentile",
            percentile_95(overheads),
            5,
            "ms",
            f"of {len(overheads)} answers; the frames' age when taken: {percentile_95(ages):.1f} ms",
        ),
    ]
    if meter:
        reference = "the widely used implementation took 29 to 36 % and 294 MB"
        figures.append(Figure("processor per WebRTC session", percent, 12, "% of a core", reference))
        figures.append(Figure("memory with one session", meter.memory, 120, "MB", reference))
        figures += await viewers(world, meter, session, effort)
    return figures


def percentile_95(values: list[float]) -> float:
    """Return the percentile of at least two values, else NaN."""
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else float("nan")


async def viewers(world: World, meter: Meter, session: str, effort: Effort) -> list[Figure]:
    """Measure the CPU time of nine more browsers of the same session, in alternating rounds."""
    alone, crowd = [], []
    for _ in range(effort.rounds):
        alone.append(await meter.load(effort.round_seconds))
        for _ in range(9):
            await world.watch(session)
        crowd.append(await meter.load(effort.round_seconds))
        await world.leave(9)
    shown = f"{statistics.median(crowd):.1f} % and {statistics.median(alone):.1f} %"
    reference = f"medians of {effort.rounds} rounds: {shown}"
    ratio = statistics.median(crowd) / statistics.median(alone)
    return [Figure("10 viewers of a session, of one viewer's processor time", ratio, 1.3, "times", reference)]


def measure(url: str = "", token: str = "", model: str = "", pid: int = 0, effort: Effort = WHOLE) -> Iterator[Figure]:
    """Yield all figures; start a server and a model if none are given."""
    with ExitStack() as stack:
        if not model:
            _, model = stack.enter_context(model_server("--total", str(MODEL_SECONDS)))
        server = None
        if not url:
            server, url = stack.enter_context(app_server("--api-base", model, "--log-level", "warning"))
            pid = server.pid
        meter = Meter(pid) if pid else None

        async def run() -> tuple[list[Figure], float]:
            async with connect(url, model, token) as world:
                figures = await one_session(world, meter, effort)
                began = time.monotonic()
                if server:
                    server.send_signal(signal.SIGTERM)
                    await asyncio.to_thread(server.wait, 10)
                return figures, time.monotonic() - began

        figures, stopped = asyncio.run(run())
        yield from figures
        if server:
            yield Figure("stop, with a session open", stopped, 3, "s")


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", default="", help="URL of the server (default: start one)")
    parser.add_argument("--token", default="", help="token of the server, as @FILE")
    parser.add_argument("--model", default="", help="address of an API, as seen from the server (default: start one)")
    parser.add_argument("--pid", type=int, default=0, help="process id of the server, if it runs on this machine")
    arguments = parser.parse_args()
    token = arguments.token
    if token and not token.startswith("@"):
        parser.error("--token takes @FILE: others can read arguments in the process list")
    token = Path(token[1:]).read_text(encoding="utf-8").strip() if token else ""
    for figure in measure(arguments.url, token, arguments.model, arguments.pid):
        sys.stdout.write(f"{figure}\n")


if __name__ == "__main__":
    main()
