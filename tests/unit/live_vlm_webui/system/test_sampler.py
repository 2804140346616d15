from __future__ import annotations

import asyncio
import subprocess
import threading

import pytest

from live_vlm_webui.system.figures import Board, Cpu, Gpu, Memory, Reading
from live_vlm_webui.system.sampler import Sampler
from live_vlm_webui.system.source import Absent

PATIENCE = 0.3  # long enough for a busy machine, short enough to wait for
ENDLESS = 30


class Script:
    """A source that does what the test says."""

    def __init__(self, name, reading=None):
        self.name = name
        self.reading = reading or Reading()
        self.error = None
        self.hold = threading.Event()
        self.hold.set()
        self.done: list[str] = []
        self.threads: set[str] = set()

    def open(self):
        self.done.append("open")
        self._act()

    def read(self):
        self.done.append("read")
        self._act()
        return self.reading

    def close(self):
        self.done.append("close")

    def _act(self):
        self.threads.add(threading.current_thread().name)
        self.hold.wait(10)
        if self.error is not None:
            raise self.error


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cpu():
    return Script("cpu", Reading(cpu=Cpu(use_percent=10), memory=Memory(used_bytes=1)))


@pytest.fixture
def gpu():
    return Script("nvml", Reading(gpus=(Gpu("GPU A", use_percent=50), Gpu("GPU B", use_percent=60))))


@pytest.fixture
async def sampler(gpu, cpu, clock):
    sampler = Sampler([gpu, cpu], ENDLESS, clock)
    yield sampler
    await sampler.close()


@pytest.fixture
async def impatient(gpu, cpu, clock):
    sampler = Sampler([gpu, cpu], PATIENCE, clock)
    yield sampler
    for source in (gpu, cpu):
        source.hold.set()
    await sampler.close()


def states(sample):
    return {source.name: source.state for source in sample.sources}


def reason(sample, name):
    return next(source.reason for source in sample.sources if source.name == name)


async def test_a_sample_has_the_figures_of_all_sources(sampler):
    sample = await sampler.sample()
    assert [gpu.use_percent for gpu in sample.gpus] == [50, 60]
    assert (sample.cpu.use_percent, sample.memory.used_bytes) == (10, 1)
    assert states(sample) == {"nvml": "ok", "cpu": "ok"}
    assert sample.at.endswith("Z")


async def test_equal_figures_make_equal_samples_whenever_they_were_taken(sampler, gpu):
    first = await sampler.sample()
    assert await sampler.sample() == first
    gpu.reading = Reading(gpus=(Gpu("GPU A", use_percent=51),))
    assert await sampler.sample() != first


async def test_sources_are_opened_once_and_read_in_one_thread_that_is_not_the_loops(sampler, gpu, cpu):
    for _ in range(3):
        await sampler.sample()
    assert gpu.done == ["open", "read", "read", "read"]
    assert gpu.threads == cpu.threads == {"sensors"}


async def test_a_source_that_raises_is_shown_as_missing_with_the_reason_and_hides_no_other(sampler, gpu):
    await sampler.sample()
    gpu.error = RuntimeError("The driver is gone.")
    sample = await sampler.sample()
    assert states(sample) == {"nvml": "failing", "cpu": "ok"}
    assert reason(sample, "nvml") == "The driver is gone."
    assert [gpu.name for gpu in sample.gpus] == ["GPU A", "GPU B"]
    assert sample.gpus[0].use_percent is None
    assert sample.gpus[0].missing["use_percent"] == "The driver is gone."
    assert sample.cpu.use_percent == 10


async def test_a_source_that_failed_is_opened_again_less_and_less_often(sampler, gpu, clock):
    gpu.error = RuntimeError("no")
    opened_at = []
    for second in range(130):
        clock.now = float(second)
        before = gpu.done.count("open")
        await sampler.sample()
        if gpu.done.count("open") > before:
            opened_at.append(second)
    assert opened_at == [0, 2, 6, 14, 30, 62, 122]
    assert gpu.done.count("close") == len(opened_at)

    gpu.error = None
    clock.now = 200.0
    assert states(await sampler.sample()) == {"nvml": "ok", "cpu": "ok"}
    gpu.error = RuntimeError("again")
    await sampler.sample()
    clock.now, gpu.error = 202.0, None
    assert states(await sampler.sample())["nvml"] == "ok"


async def test_a_source_that_the_machine_lacks_is_looked_for_once_a_minute(sampler, gpu, clock):
    gpu.error = Absent("There is no driver.")
    for second in range(119):
        clock.now = float(second)
        sample = await sampler.sample()
    assert gpu.done.count("open") == 2
    assert states(sample)["nvml"] == "absent"
    assert reason(sample, "nvml") == "There is no driver."


@pytest.mark.alone
async def test_a_source_that_hangs_delays_one_sample_and_no_other_source(impatient, gpu, cpu):
    await impatient.sample()
    gpu.hold.clear()
    loop = asyncio.get_running_loop()
    started = loop.time()
    sample = await impatient.sample()
    assert loop.time() - started < PATIENCE + 0.5
    assert states(sample) == {"nvml": "hanging", "cpu": "ok"}
    assert f"did not respond within {PATIENCE:g} s" in sample.gpus[0].missing["power_watts"]

    reads = cpu.done.count("read")
    for _ in range(50):
        sample = await impatient.sample()
    assert cpu.done.count("read") == reads + 50
    assert gpu.done.count("read") == 2
    assert states(sample)["nvml"] == "hanging"
    assert len([thread for thread in threading.enumerate() if thread.name == "sensors"]) == 2


async def test_a_source_that_comes_back_is_taken_again_and_cannot_delay_the_others_any_more(impatient, gpu):
    gpu.hold.clear()
    await impatient.sample()
    gpu.hold.set()
    for _ in range(1000):
        sample = await impatient.sample()
        if states(sample)["nvml"] == "ok":
            break
        await asyncio.sleep(0.001)
    assert [gpu.use_percent for gpu in sample.gpus] == [50, 60]

    gpu.hold.clear()
    loop = asyncio.get_running_loop()
    started = loop.time()
    for _ in range(20):
        await impatient.sample()
    assert loop.time() - started < 20 * PATIENCE  # nobody waits for it


async def test_closing_closes_the_sources_and_ends_the_threads(gpu, cpu, clock):
    sampler = Sampler([gpu, cpu], ENDLESS, clock)
    await sampler.sample()
    await sampler.close()
    assert (gpu.done[-1], cpu.done[-1]) == ("close", "close")
    for thread in threading.enumerate():
        if thread.name == "sensors":
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.alone
async def test_closing_does_not_wait_for_a_source_that_hangs(gpu, cpu, clock):
    sampler = Sampler([gpu, cpu], PATIENCE, clock)
    gpu.hold.clear()
    await sampler.sample()
    loop = asyncio.get_running_loop()
    started = loop.time()
    await sampler.close()
    assert loop.time() - started < 1
    assert cpu.done[-1] == "close"
    gpu.hold.set()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (subprocess.TimeoutExpired(("ioreg", "-a"), 0.8), "ioreg took longer than 0.8 s."),
        (subprocess.CalledProcessError(2, ("ioreg", "-a")), "ioreg exited with status 2."),
        (KeyError(), "KeyError"),
    ],
)
async def test_an_error_is_told_in_words(sampler, gpu, error, words):
    gpu.error = error
    assert reason(await sampler.sample(), "nvml") == words


async def test_an_integrated_gpu_that_two_sources_tell_of_is_one(clock):
    nvml = Script(
        "nvml",
        Reading(
            gpus=(
                Gpu("NVIDIA RTX A6000", use_percent=1, power_watts=70.0),
                Gpu("Orin (nvgpu)", integrated=True, missing={"use_percent": "no", "power_watts": "no"}),
            )
        ),
    )
    jetson = Script(
        "jetson",
        Reading(gpus=(Gpu("NVIDIA Orin (integrated)", integrated=True, use_percent=40),), board=Board(power_watts=9.0)),
    )
    jtop = Script("jtop", Reading(board=Board(power_watts=9.4, power_mode="MAXN")))
    sampler = Sampler([nvml, jetson, jtop], ENDLESS, clock)
    sample = await sampler.sample()
    await sampler.close()
    assert [(gpu.name, gpu.use_percent) for gpu in sample.gpus] == [("NVIDIA RTX A6000", 1), ("Orin (nvgpu)", 40)]
    assert sample.gpus[1].missing == {"power_watts": "no"}
    assert (sample.board.power_watts, sample.board.power_mode) == (9.0, "MAXN")
