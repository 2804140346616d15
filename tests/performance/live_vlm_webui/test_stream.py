"""What a camera that the server reads costs, however many sessions look at it: one connection and one decode."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from figures import BRIEF

from live_vlm_webui.media.stream.pool import CameraPool

TOOL = Path(__file__).parents[2] / "tools" / "rtsp_server.py"
SECONDS = 3 if BRIEF else 6


@pytest.fixture(scope="module")
def address():
    """Of a 1280x720 camera with 30 frames a second and 2 Mbit/s, in a process of its own."""
    command = [sys.executable, str(TOOL), "--size", "1280x720", "--bit-rate", "2000000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


async def cost(address: str, sessions: int) -> tuple[float, float]:
    """Percent of a core, and frames per second."""
    pool = CameraPool()
    try:
        cameras = [await pool.open(address) for _ in range(sessions)]
        first = await asyncio.wait_for(cameras[0].slot.after(30), 30)
        before, began = psutil.Process().cpu_times(), time.monotonic()
        await asyncio.sleep(SECONDS)
        after, passed = psutil.Process().cpu_times(), time.monotonic() - began
        last = cameras[0].slot.newest
        assert last is not None
        cpu = after.user + after.system - before.user - before.system
        return 100 * cpu / passed, (last.number - first.number) / passed
    finally:
        await pool.close()


async def test_an_rtsp_camera(figure, address):
    one, fps = await cost(address, 1)
    ten, _ = await cost(address, 10)
    assert fps > 28
    figure("720p30 from an RTSP camera", one, budget=12, unit="% of a core", reference=f"{fps:.0f} fps")
    figure("the same camera in ten sessions, of one", ten / one, budget=1.3, unit="times")
