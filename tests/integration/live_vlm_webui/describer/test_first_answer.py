"""The first answer of a fresh process, and what the describer costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg

pytestmark = pytest.mark.alone

FIRST_SECONDS = 3.0
ATTEMPTS = 4
"""Other work on the machine is not what is measured: the quickest of as many fresh processes counts."""
FIRST_CPU_SECONDS = 2.5
MEMORY_MB = 140
"""What loading and using it may add to the process, its libraries included."""

PROGRAM = """
import asyncio, json, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from live_vlm_webui.describer.describer import Describer
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import Question

picture = Picture(Path(sys.argv[1]).read_bytes(), 600, 400)
process = psutil.Process()


async def ask(model):
    start = time.monotonic()
    first = None
    async for delta in model.answer(Question("Describe the scene.", (picture,), 200)):
        first = first or time.monotonic() - start
    return first


async def longest_pause(until):
    longest, last = 0.0, time.monotonic()
    while not until.is_set():
        await asyncio.sleep(0.001)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest


async def main():
    with ThreadPoolExecutor(1) as executor:
        before = process.memory_info().rss
        models = [Describer(executor).model()]
        done = asyncio.Event()
        watcher = asyncio.ensure_future(longest_pause(done))
        first = await ask(models[0])
        done.set()
        first_cpu = sum(process.cpu_times()[:2])
        used = process.memory_info().rss
        for _ in range(10):
            await ask(models[0])
        times = process.cpu_times()
        start = time.monotonic(), times.user + times.system
        for _ in range(10):
            await ask(models[0])
        times = process.cpu_times()
        later = process.memory_info().rss
        print(json.dumps({
            "first": first,
            "first_cpu": first_cpu,
            "pause": await watcher,
            "each": (time.monotonic() - start[0]) / 10,
            "cpu": (times.user + times.system - start[1]) / 10,
            "memory": (used - before) / 1e6,
            "growth": (later - used) / 1e6,
        }))


asyncio.run(main())
"""


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory, photograph: Any) -> dict[str, float]:
    """Measured in a process of its own, in seconds and MB; of several the one that answered first."""
    path: Path = tmp_path_factory.mktemp("describer") / "coffee.jpg"
    pixels: np.ndarray = photograph("coffee.png")
    path.write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), 80, colorspace="RGB"))
    best: dict[str, float] = {}
    for _ in range(ATTEMPTS):
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True, timeout=120
        )
        result: dict[str, float] = json.loads(ran.stdout)
        if not best or result["first"] < best["first"]:
            best = result
        if best["first"] < FIRST_SECONDS:
            break
    return best


def test_the_first_answer_comes_within_three_seconds(figures: dict[str, float]) -> None:
    assert figures["first"] < FIRST_SECONDS
    assert figures["first_cpu"] < FIRST_CPU_SECONDS


def test_it_takes_little_memory_and_no_more_with_every_answer(figures: dict[str, float]) -> None:
    assert figures["memory"] < MEMORY_MB
    assert figures["growth"] < 25


def test_the_event_loop_goes_on_while_it_looks(figures: dict[str, float]) -> None:
    assert figures["pause"] < 0.75 * figures["first"]
