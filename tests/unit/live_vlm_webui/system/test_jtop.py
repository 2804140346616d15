from __future__ import annotations

import sys
from types import ModuleType

import pytest

from live_vlm_webui.system.jtop import JtopSource
from live_vlm_webui.system.source import Absent


class Service:
    """What jetson-stats 4 tells on an AGX Orin."""

    answers = True

    def __init__(self, interval):
        assert interval == 1.0
        self.running = False
        status = {"load": 61.3, "3d_scaling": True}
        self.gpu = {"ga10b": {"type": "integrated", "status": status, "freq": {"cur": 1_020_000}}}
        self.power = {"rail": {"VDD_GPU_SOC": {"power": 3990}}, "tot": {"power": 9410, "avg": 9300}}
        self.temperature = {"CPU": {"temp": 48.5, "online": True}, "GPU": {"temp": -256, "online": False}}
        self.nvpmodel = "MAXN"

    def start(self):
        self.running = True

    def ok(self, spin):
        assert spin  # without it the call blocks until the service tells something new
        return self.running and self.answers

    def close(self):
        self.running = False


@pytest.fixture
def service(monkeypatch):
    module = ModuleType("jtop")
    module.jtop = type("jtop", (Service,), {})
    module.__spec__ = object()
    monkeypatch.setitem(sys.modules, "jtop", module)
    return module.jtop


def test_what_the_service_tells_is_read(service):
    source = JtopSource()
    source.open()
    reading = source.read()
    assert [(gpu.name, gpu.integrated, gpu.use_percent) for gpu in reading.gpus] == [("NVIDIA ga10b", True, 61)]
    assert (reading.board.power_watts, reading.board.power_mode) == (9.4, "MAXN")
    assert reading.board.temperatures_celsius == {"cpu": 48}
    source.close()
    source.close()


def test_a_service_that_stops_is_an_error_of_the_source(service):
    source = JtopSource()
    source.open()
    service.answers = False
    with pytest.raises(ConnectionError, match="systemctl status jtop"):
        source.read()


def test_without_jetson_stats_the_source_is_absent():
    with pytest.raises(Absent, match="not installed"):
        JtopSource().open()
