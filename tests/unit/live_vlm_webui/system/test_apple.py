from __future__ import annotations

import plistlib
import subprocess

import pytest

from live_vlm_webui.system.apple import ACCELERATORS, AppleSource
from live_vlm_webui.system.source import Absent

GIB = 1024**3
# As `ioreg -r -d 1 -w 0 -c IOAccelerator -a` prints it, without what is not read.
M2 = plistlib.dumps(
    [
        {
            "IOClass": "AGXAcceleratorG14G",
            "model": "Apple M2",
            "gpu-core-count": 10,
            "PerformanceStatistics": {
                "Alloc system memory": 2 * GIB,
                "Device Utilization %": 37,
                "In use system memory": GIB,
                "In use system memory (driver)": 0,
                "Renderer Utilization %": 36,
                "Tiler Utilization %": 12,
            },
        }
    ]
)


class Mac:
    """Answers ``ioreg``, and counts how often it was run."""

    def __init__(self, answer=M2):
        self.answer = answer
        self.runs = 0
        self.now = 100.0

    def __call__(self, command):
        assert command == ACCELERATORS
        self.runs += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def source(self):
        return AppleSource(lambda: 16 * GIB, self, lambda: self.now)


def test_the_gpu_of_apple_silicon_is_told_without_root():
    source = Mac().source()
    source.open()
    (gpu,) = source.read().gpus
    assert (gpu.name, gpu.integrated, gpu.use_percent) == ("Apple M2, 10 cores", True, 37)
    assert (gpu.memory_used_bytes, gpu.memory_total_bytes) == (GIB, 16 * GIB)
    assert gpu.missing == dict.fromkeys(("temperature_celsius", "power_watts"), "macOS reports it only to root.")


def test_ioreg_is_not_run_more_than_once_a_second():
    mac = Mac()
    source = mac.source()
    source.open()
    for _ in range(8):
        mac.now += 0.25
        source.read()
    assert mac.runs == 3


@pytest.mark.parametrize("statistics", [{}, {"Device Utilization %": "busy"}, "none"])
def test_statistics_that_are_not_told_are_missing(statistics):
    source = Mac(plistlib.dumps([{"model": "Apple M4", "PerformanceStatistics": statistics}])).source()
    source.open()
    (gpu,) = source.read().gpus
    assert (gpu.name, gpu.use_percent, gpu.memory_used_bytes) == ("Apple M4", None, None)
    assert gpu.missing["use_percent"]


@pytest.mark.parametrize("answer", [b"", plistlib.dumps([]), plistlib.dumps({})])
def test_a_mac_without_a_gpu_lacks_the_source(answer):
    with pytest.raises(Absent):
        Mac(answer).source().open()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"+-o AGXAccelerator", ValueError),
        (b"<plist><array>", ValueError),
        (FileNotFoundError("ioreg"), FileNotFoundError),
        (subprocess.TimeoutExpired(ACCELERATORS, 0.8), subprocess.TimeoutExpired),
    ],
)
def test_an_ioreg_that_fails_is_an_error_of_the_source(answer, error):
    mac = Mac()
    source = mac.source()
    source.open()
    mac.answer, mac.now = answer, mac.now + 1
    with pytest.raises(error):
        source.read()
