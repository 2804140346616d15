"""Files are held back to real time; how far a camera's stream is behind is told from its time stamps."""

from __future__ import annotations

import threading

import pytest

from live_vlm_webui.media.stream import pace
from live_vlm_webui.media.stream.pace import DRIFT, Clock, Lag


class Time(threading.Event):
    """Time that passes only when somebody waits."""

    def __init__(self):
        super().__init__()
        self.now = 1000.0
        self.waits = []

    def wait(self, timeout=None):
        self.waits.append(round(timeout, 6))
        self.now += timeout
        return False


@pytest.fixture
def time(monkeypatch):
    time = Time()
    monkeypatch.setattr(pace.time, "monotonic", lambda: time.now)
    return time


def test_frames_wait_for_their_time(time):
    clock = Clock(time, fps=10)
    for at in (7.0, 7.1, 7.4):
        clock.wait_for(at)
    assert time.waits == [0.1, 0.3]


def test_what_is_late_is_shown_at_once_and_the_next_in_its_time(time):
    clock = Clock(time, fps=10)
    clock.wait_for(0.0)
    time.now += 0.25
    for at in (0.1, 0.2, 0.3):
        clock.wait_for(at)
    assert time.waits == [0.05]


def test_frames_without_a_time_come_at_the_rate_of_the_file(time):
    clock = Clock(time, fps=10)
    for _ in range(3):
        clock.wait_for(None)
    assert time.waits == [0.1, 0.1]


@pytest.mark.parametrize("leap", [3600.0, -3600.0])
def test_a_leap_in_time_is_not_waited_for(time, leap):
    clock = Clock(time, fps=10)
    clock.wait_for(5000.0)
    clock.wait_for(5000.0 + leap)
    clock.wait_for(5000.1 + leap)
    assert time.waits == [0.1, 0.1]


def test_a_file_begins_again_after_its_last_frame(time):
    clock = Clock(time, fps=10)
    for _ in range(2):
        for at in (0.0, 0.1):
            clock.wait_for(at)
        clock.restart()
    assert time.waits == [0.1, 0.1, 0.1, 0.1]


def test_a_file_of_one_frame_does_not_spin(time):
    clock = Clock(time, fps=25)
    for _ in range(3):
        clock.wait_for(0.0)
        clock.restart()
    assert time.waits == [0.04] * 3


def test_the_promptest_packet_is_not_behind():
    lag = Lag()
    assert lag.of(50.0, 1000.0) == 0
    assert lag.of(51.0, 1000.9) == 0
    assert lag.of(52.0, 1002.4) == pytest.approx(0.5, abs=0.01)
    assert lag.of(53.0, 1002.9) == pytest.approx(0.0, abs=0.01)


def test_a_camera_whose_clock_is_slow_is_not_taken_for_behind():
    lag = Lag()
    behind = [lag.of(at * (1 - DRIFT / 2), 1000.0 + at) for at in range(100_000)]
    assert max(behind) < 0.1


def test_who_decodes_too_slowly_falls_behind():
    lag = Lag()
    behind = [lag.of(at / 30, at / 20) for at in range(120)]
    assert 1.9 < behind[-1] < 2.1


def test_a_camera_whose_clock_was_set_is_not_behind():
    lag = Lag()
    lag.of(1000.0, 10.0)
    assert lag.of(0.0, 10.1) == 0
    assert lag.of(0.1, 10.2) == pytest.approx(0, abs=0.01)
    assert lag.of(5000.0, 10.3) == 0
