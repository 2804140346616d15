"""Sessions that look at the same camera share one connection and one decode."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest
import rtsp_server
import video

from live_vlm_webui.errors import ConflictError, ForbiddenError, InputError, LimitError
from live_vlm_webui.media.stream.pool import CameraPool

SECONDS = 60


@pytest.fixture(scope="module")
def clip():
    return video.encode("h264")


@pytest.fixture
async def host(clip):
    host = await rtsp_server.Camera(clip).plug()
    yield host
    await host.unplug()


@pytest.fixture
async def pool():
    pool = CameraPool(limit=3)
    yield pool
    await pool.close()


def streams():
    return [thread for thread in threading.enumerate() if thread.name == "stream"]


async def until(condition, seconds=SECONDS):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_all_who_look_share_one_connection_and_thread(pool, host):
    cameras = [await pool.open(host.url) for _ in range(5)]
    frames = [await asyncio.wait_for(camera.slot.after(0), SECONDS) for camera in cameras]
    assert host.connections == 1
    assert len(streams()) == 1
    assert len({id(camera.slot) for camera in cameras}) == 1
    assert all(frame.image.width == 320 for frame in frames)


async def test_the_last_who_leaves_ends_it(pool, host):
    first, second = await pool.open(host.url), await pool.open(host.url)
    await asyncio.wait_for(second.slot.after(0), SECONDS)
    await until(lambda: first.status.state == "live")
    await first.close()
    await first.close()
    assert first.status.state == "ended"
    assert second.status.state == "live"
    await asyncio.wait_for(second.slot.after(second.slot.newest.number + 5), SECONDS)
    await second.close()
    await until(lambda: not host.connections and not streams())


async def test_each_share_has_its_own_watchers(pool, host):
    first, second = await pool.open(host.url), await pool.open(host.url)
    heard = {"first": [], "second": []}
    first.watch(lambda status: heard["first"].append(status.state))
    second.watch(lambda status: heard["second"].append(status.state))
    await until(lambda: heard["first"] and heard["second"])
    await first.close()
    await host.unplug()
    await until(lambda: "lost" in heard["second"])
    assert heard["first"] == ["live", "ended"]


async def test_a_later_share_has_the_current_status(pool, host):
    first = await pool.open(host.url)
    await until(lambda: first.status.state == "live")
    second = await pool.open(host.url)
    assert second.status == first.status


async def test_after_the_last_share_it_is_opened_again(pool, host):
    for _ in range(2):
        camera = await pool.open(host.url)
        await asyncio.wait_for(camera.slot.after(0), SECONDS)
        await camera.close()
    assert host.requests.count("PLAY") == 2


async def test_cameras_are_limited(pool):
    cameras = [await pool.open(f"rtsp://127.0.0.1:1/{number}") for number in range(3)]
    with pytest.raises(LimitError, match="already reads 3 cameras"):
        await pool.open("rtsp://127.0.0.1:1/more")
    await pool.open("rtsp://127.0.0.1:1/0")
    await cameras[1].close()
    await pool.open("rtsp://127.0.0.1:1/more")


@pytest.mark.parametrize(("address", "error"), [("http://camera/", InputError), ("/etc/passwd", ForbiddenError)])
async def test_what_is_not_read_is_refused_and_leaves_nothing(pool, address, error):
    with pytest.raises(error):
        await pool.open(address)
    assert not streams()


@pytest.mark.alone
async def test_all_end_in_under_a_second_though_their_hosts_are_silent(host):
    pool = CameraPool()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        cameras = [await pool.open(f"rtsp://127.0.0.1:{port}/{number}") for number in range(6)]
        cameras.append(await pool.open(host.url))
        await asyncio.wait_for(cameras[-1].slot.after(0), SECONDS)
        began = time.monotonic()
        await pool.close()
        assert time.monotonic() - began < 1
        await until(lambda: not streams())
    assert {camera.status.state for camera in cameras} == {"ended"}
    with pytest.raises(ConflictError):
        await pool.open(host.url)
    for camera in cameras:
        await camera.close()
    await pool.close()
