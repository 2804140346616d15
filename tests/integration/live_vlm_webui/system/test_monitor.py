from __future__ import annotations

import asyncio
import os
import threading
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sensor_trees import THOR_JETPACK_7, plant

from live_vlm_webui.system.cpu import CpuSource
from live_vlm_webui.system.figures import Reading
from live_vlm_webui.system.jetson import JetsonSource
from live_vlm_webui.system.monitor import Monitor

FAST = 0.25


class Stuck:
    """A sensor that never answers until the test lets it go."""

    name = "stuck"

    def __init__(self):
        self.free = threading.Event()

    def open(self):
        self.free.wait(30)

    def read(self):
        return Reading()

    def close(self):
        self.free.set()


async def several(monitor, count):
    """The next samples."""
    samples = asyncio.Queue()
    end = monitor.watch(samples.put_nowait)
    try:
        return [await asyncio.wait_for(samples.get(), 60) for _ in range(count)]
    finally:
        end()


@pytest.mark.alone
async def test_this_machine_is_sampled_at_the_interval_once_for_all_viewers():
    monitor = Monitor(FAST)
    loop = asyncio.get_running_loop()
    async with asynccontextmanager(monitor.run)():
        await several(monitor, 1)
        started = loop.time()
        one, other = await asyncio.gather(several(monitor, 4), several(monitor, 4))
        took = loop.time() - started
    assert [id(sample) for sample in one] == [id(sample) for sample in other]
    assert 3 * FAST <= took < 8 * FAST
    assert monitor.history[-4:] == tuple(one)
    assert monitor.sample is one[-1]
    assert one[-1].memory.total_bytes > one[-1].memory.used_bytes > 0
    assert 0 <= one[-1].cpu.use_percent <= 100
    assert len(one[-1].cpu.cores_percent) == os.cpu_count()
    assert monitor.machine.name


async def test_each_sample_is_in_the_history_once():
    monitor = Monitor(FAST, sources=(CpuSource(),), history=3)
    seen = []
    monitor.watch(seen.append)
    async with asynccontextmanager(monitor.run)():
        await several(monitor, 5)
    assert monitor.history == tuple(seen[-3:])
    assert [sample.at for sample in monitor.history] == sorted({sample.at for sample in monitor.history})


async def test_the_interval_changes_while_it_runs_and_at_once():
    monitor = Monitor(60, sources=(CpuSource(),))
    loop = asyncio.get_running_loop()
    async with asynccontextmanager(monitor.run)():
        await several(monitor, 1)
        started = loop.time()
        monitor.interval = FAST
        await several(monitor, 2)
        assert loop.time() - started < 5
        count = len(monitor.history)
        monitor.interval = 60
        for _ in range(20):
            monitor.interval = 30  # asking often makes no samples
            await asyncio.sleep(0)
        assert len(monitor.history) <= count + 1


async def test_a_failing_watcher_does_not_affect_others(caplog):
    monitor = Monitor(FAST, sources=(CpuSource(),))

    def fails(sample):
        raise ValueError("a fault of the watcher")

    monitor.watch(fails)
    async with asynccontextmanager(monitor.run)():
        assert len(await several(monitor, 2)) == 2
    assert "a watcher of the monitor failed" in caplog.text


@pytest.mark.alone
async def test_a_sensor_that_hangs_neither_holds_up_the_loop_nor_the_others_nor_the_stop():
    stuck = Stuck()
    monitor = Monitor(FAST, sources=(stuck, CpuSource()), patience=0.1)
    loop = asyncio.get_running_loop()
    late = 0.0

    async def feel():
        nonlocal late
        while True:
            before = loop.time()
            await asyncio.sleep(0.01)
            late = max(late, loop.time() - before)

    feeling = asyncio.create_task(feel())
    async with asynccontextmanager(monitor.run)():
        samples = await several(monitor, 4)
        stopping = loop.time()
    stopped = loop.time() - stopping
    feeling.cancel()
    stuck.free.set()
    assert [source.state for source in samples[-1].sources] == ["hanging", "ok"]
    assert samples[-1].cpu.use_percent is not None
    assert late < 0.5
    assert stopped < 1


async def test_it_lives_and_dies_with_an_application():
    monitor = Monitor(FAST)
    app = web.Application()
    app.cleanup_ctx.append(monitor.run)
    async with TestServer(app):
        await several(monitor, 1)
    count = len(monitor.history)
    await asyncio.sleep(2 * FAST)
    assert len(monitor.history) == count
    for thread in threading.enumerate():
        if thread.name == "sensors":
            thread.join(60)
    assert "sensors" not in [thread.name for thread in threading.enumerate()]


async def test_a_board_that_loses_a_sensor_while_it_is_sampled_shows_it_as_missing(tmp_path):
    root = plant(tmp_path, THOR_JETPACK_7)
    monitor = Monitor(FAST, sources=(JetsonSource(root), CpuSource(root)))
    async with asynccontextmanager(monitor.run)():
        (first,) = await several(monitor, 1)
        (root / "sys/class/hwmon/hwmon3/power1_input").unlink()
        *_, last = await several(monitor, 2)
    assert (first.board.power_watts, last.board.power_watts) == (23.1, None)
    assert last.board.rails_watts["VDD_CPU_SOC_MSS"] == 6.5
    assert last.cpu.temperature_celsius == 54


@pytest.mark.parametrize("figure", ["temperature", "power"])
def test_a_driver_that_hangs_in_the_library_leaves_the_processor_on_show(nvml, probe, figure):
    nvml.answer({"count": 1, "0.name": "NVIDIA L4", "0.use": 5, "0.temperature": 44, "0.power": 30_000})
    process = probe("--monitor", "4")
    first = process.tell()
    assert (first["gpus"][0]["temperature_celsius"], first["gpus"][0]["power_watts"]) == (44, 30.0)
    nvml.answer({"count": 1, "0.name": "NVIDIA L4", "0.use": 5, "0.temperature": 44, f"0.{figure}": "hang"})
    told = [process.tell()]
    while "stopped_after" not in told[-1]:
        told.append(process.tell())
    states = {source["name"]: source["state"] for source in told[-2]["sources"]}
    assert (states["nvml"], states["cpu"]) == ("hanging", "ok")
    gpu = told[-2]["gpus"][0]
    assert (gpu["name"], gpu["use_percent"]) == ("NVIDIA L4", None)
    assert "did not respond" in gpu["missing"]["use_percent"]
    assert told[-2]["cpu"]["use_percent"] is not None
    assert len(told) > 6
    assert told[-1]["stopped_after"] < 1
    assert "nvml: hanging" in process.end()
