from __future__ import annotations

from collections import namedtuple

import psutil
import pytest

from live_vlm_webui.system.cpu import CpuSource

Times = namedtuple("Times", "user nice system idle iowait guest guest_nice")


@pytest.fixture
def counters(monkeypatch):
    """What the operating system counts, by core; the test moves it on."""
    cores = [Times(0, 0, 0, 0, 0, 0, 0), Times(0, 0, 0, 0, 0, 0, 0)]

    def cpu_times(*, percpu):
        assert percpu
        return list(cores)

    monkeypatch.setattr(psutil, "cpu_times", cpu_times)
    return cores


def test_the_first_reading_has_no_use_because_no_time_has_passed(tmp_path, counters):
    source = CpuSource(tmp_path)
    source.open()
    assert (source.read().cpu.use_percent, source.read().cpu.cores_percent) == (None, ())


def test_use_is_what_was_done_since_the_reading_before(tmp_path, counters):
    source = CpuSource(tmp_path)
    source.open()
    counters[:] = [Times(3, 0, 1, 5, 1, 0, 0), Times(0, 0, 0, 10, 0, 0, 0)]
    cpu = source.read().cpu
    assert (cpu.use_percent, cpu.cores_percent) == (20, (40, 0))  # waiting for a disk is no work
    counters[:] = [Times(13, 0, 1, 5, 1, 0, 0), Times(10, 0, 0, 10, 0, 0, 0)]
    assert source.read().cpu.use_percent == 100


def test_what_virtual_machines_use_is_not_counted_twice(tmp_path, counters):
    source = CpuSource(tmp_path)
    source.open()
    counters[:] = [Times(5, 0, 0, 5, 0, 5, 0), Times(5, 0, 0, 5, 0, 5, 0)]
    assert source.read().cpu.use_percent == 50


def test_a_core_that_is_switched_off_leaves_one_reading_without_its_use(tmp_path, counters):
    source = CpuSource(tmp_path)
    source.open()
    counters[:] = [Times(1, 0, 0, 1, 0, 0, 0)]
    assert source.read().cpu.cores_percent == ()
    counters[:] = [Times(2, 0, 0, 1, 0, 0, 0)]
    assert source.read().cpu.use_percent == 100


def test_a_core_that_is_switched_on_does_not_count_with_all_that_it_did_before(tmp_path, counters):
    counters[:] = [Times(0, 0, 0, 0, 0, 0, 0)]
    source = CpuSource(tmp_path)
    source.open()
    counters[:] = [Times(0, 0, 0, 10, 0, 0, 0), Times(900, 0, 0, 0, 0, 0, 0)]
    assert source.read().cpu.use_percent is None
    counters[:] = [Times(0, 0, 0, 20, 0, 0, 0), Times(900, 0, 0, 10, 0, 0, 0)]
    assert source.read().cpu.use_percent == 0
