"""A wait within FFmpeg ends when it is told to, and only that one."""

from __future__ import annotations

import itertools
import socket
import threading
import time

import av
import av.container.core
import pytest

from live_vlm_webui.media.stream.interrupt import StoppableTime, interrupted_by


@pytest.fixture
def silent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live"


def opens(url, seconds):
    with pytest.raises((av.error.FFmpegError, OSError)):
        av.open(url, timeout=seconds)


def test_an_open_that_waits_is_interrupted(silent):
    stop = threading.Event()

    def run():
        with interrupted_by(stop):
            opens(silent, 600)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


def test_other_threads_keep_their_time_out(silent):
    stop = threading.Event()
    stop.set()
    with interrupted_by(stop):
        thread = threading.Thread(target=opens, args=(silent, 0.3))
        began = time.monotonic()
        thread.start()
        thread.join(60)
    assert not thread.is_alive()
    assert time.monotonic() - began > 0.25


def test_afterwards_time_is_as_it_was(silent):
    stop = threading.Event()
    stop.set()
    with interrupted_by(stop):
        opens(silent, 600)
    began = time.monotonic()
    opens(silent, 0.3)
    assert time.monotonic() - began > 0.25


def test_the_clock_is_put_in_once():
    with interrupted_by(threading.Event()):
        clock = av.container.core.time
    with interrupted_by(threading.Event()):
        assert av.container.core.time is clock


def test_but_for_that_it_is_the_module():
    clock = StoppableTime()
    assert clock.perf_counter is time.perf_counter
    assert abs(clock.monotonic() - time.monotonic()) < 60


def test_once_stopped_each_look_is_later_than_any_time_out():
    clock = StoppableTime()
    clock.stop = threading.Event()
    assert abs(clock.monotonic() - time.monotonic()) < 60
    clock.stop.set()
    looks = [clock.monotonic() for _ in range(4)]
    assert all(later - earlier > 3600 for earlier, later in itertools.pairwise(looks))


def test_a_wait_that_begins_when_it_is_too_late_ends_at_once(silent):
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    with interrupted_by(stop):
        opens(silent, 600)
    assert time.monotonic() - began < 60
