from __future__ import annotations

import pytest
from sensor_trees import ORIN_NANO_JETPACK_6, PC, plant

from live_vlm_webui.errors import InputError
from live_vlm_webui.system.monitor import Monitor, default_sources


@pytest.mark.parametrize("seconds", [0.25, 1, 60.0])
def test_an_interval_may_be_a_quarter_of_a_second_to_a_minute(seconds):
    monitor = Monitor(seconds, sources=())
    monitor.interval = seconds
    assert monitor.interval == seconds


@pytest.mark.parametrize("seconds", [0.2, 61, 0, -1, float("nan"), float("inf"), True, "1", None])
def test_anything_else_is_refused_and_changes_nothing(seconds):
    monitor = Monitor(2, sources=())
    with pytest.raises(InputError, match=r"0\.25 to 60"):
        monitor.interval = seconds
    assert monitor.interval == 2
    with pytest.raises(InputError):
        Monitor(seconds, sources=())


def test_before_it_runs_there_is_no_sample():
    monitor = Monitor(sources=())
    assert (monitor.sample, monitor.history) == (None, ())
    assert monitor.to_json()["sample"] is None


@pytest.mark.parametrize(
    ("tree", "system", "names"),
    [
        (PC, "linux", ["nvml", "cpu"]),
        (ORIN_NANO_JETPACK_6, "linux", ["nvml", "jetson", "jtop", "cpu"]),
        ({}, "darwin", ["apple", "cpu"]),
    ],
)
def test_a_machine_is_asked_by_the_sources_that_it_can_have(tmp_path, tree, system, names):
    assert [source.name for source in default_sources(plant(tmp_path, tree), system)] == names
