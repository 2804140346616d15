"""Pictures that are sent one by one: the newest is shown, and what is none is refused."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import simplejpeg

from live_vlm_webui.errors import ConflictError, InputError
from live_vlm_webui.media.push import MAX_MESSAGE_BYTES, STALLED, PushCamera


def jpeg(value=128, width=64, height=48):
    return simplejpeg.encode_jpeg(np.full((height, width, 3), value, np.uint8))


def damaged():
    whole = jpeg()
    at = whole.index(b"\xff\xc4")  # no Huffman tables that could be read
    return whole[: at + 5] + b"\xff" * 10 + whole[at + 15 :]


def shade(frame):
    return int(np.frombuffer(frame.image.planes[0], np.uint8)[0])


@pytest.fixture
async def camera():
    camera = PushCamera("websocket")
    yield camera
    await camera.close()


@pytest.fixture
async def busy():
    """An executor with one thread, held until it is let go."""
    gate = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(gate.wait, 10)
        yield executor, gate
        gate.set()


async def test_a_dropped_picture_is_shown_when_push_returns():
    camera = PushCamera("picture", source="cat.jpg")
    assert camera.status.state == "connecting"
    await camera.push(jpeg(200))
    assert shade(camera.slot.newest) == 200
    assert (camera.status.state, camera.status.width, camera.status.height) == ("live", 64, 48)
    assert (camera.status.kind, camera.status.source) == ("picture", "cat.jpg")
    await camera.close()


async def test_a_dropped_picture_never_stalls(monkeypatch):
    monkeypatch.setattr("live_vlm_webui.media.camera.CHECK_SECONDS", 0)
    monkeypatch.setattr("live_vlm_webui.media.camera.STALL_SECONDS", 0)
    camera = PushCamera("picture")
    await camera.push(jpeg())
    await asyncio.sleep(0.02)
    assert camera.status.state == "live"
    await camera.close()


async def test_a_damaged_picture_is_refused_at_once():
    camera = PushCamera("picture")
    with pytest.raises(InputError, match="damaged"):
        await camera.push(damaged())
    assert camera.slot.newest is None
    await camera.push(jpeg())
    assert camera.slot.newest is not None
    await camera.close()


async def test_a_stream_of_pictures_is_shown(camera):
    for value in (10, 20, 30):
        await camera.push(jpeg(value))
        frame = await asyncio.wait_for(camera.slot.after(camera.slot.newest.number if camera.slot.newest else 0), 60)
        assert shade(frame) == value
    assert camera.status.state == "live"


async def test_a_stream_that_pauses_stalls_and_comes_back(monkeypatch):
    monkeypatch.setattr("live_vlm_webui.media.camera.CHECK_SECONDS", 0)
    monkeypatch.setattr("live_vlm_webui.media.camera.STALL_SECONDS", 0.02)
    camera = PushCamera("websocket")
    await camera.push(jpeg())
    stalled = asyncio.Event()
    camera.watch(lambda status: stalled.set() if status.state == "stalled" else None)
    await asyncio.wait_for(stalled.wait(), 60)
    assert camera.status.detail == STALLED
    live = asyncio.Event()
    camera.watch(lambda status: live.set() if status.state == "live" else None)
    await camera.push(jpeg())
    await asyncio.wait_for(live.wait(), 60)
    await camera.close()


async def test_while_one_is_decoded_only_the_latest_waits(busy):
    executor, gate = busy
    camera = PushCamera("websocket", executor)
    for value in range(10, 250, 10):
        await camera.push(jpeg(value))
        await asyncio.sleep(0)
    gate.set()
    first = await asyncio.wait_for(camera.slot.after(0), 60)
    last = await asyncio.wait_for(camera.slot.after(first.number), 60) if shade(first) == 10 else first
    assert shade(last) == 240
    assert last.number == 2
    await camera.close()


async def test_the_event_loop_goes_on_while_a_picture_is_decoded(busy):
    executor, gate = busy
    camera = PushCamera("picture", executor)
    pushing = asyncio.ensure_future(camera.push(jpeg()))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not pushing.done()
    gate.set()
    await asyncio.wait_for(pushing, 60)
    await camera.close()


async def test_of_a_stream_what_was_damaged_is_told_by_the_next_call(camera):
    await camera.push(damaged())
    await asyncio.wait_for(camera._decoding, 60)
    with pytest.raises(InputError, match="damaged"):
        await camera.push(jpeg())
    await camera.push(jpeg(9))
    assert shade(await asyncio.wait_for(camera.slot.after(0), 60)) == 9


@pytest.mark.parametrize("data", [b"", b"text", bytes(100), b"\xff\xd8\xff"])
@pytest.mark.parametrize("kind", ["websocket", "picture"])
async def test_what_is_no_picture_is_refused_at_once(kind, data):
    camera = PushCamera(kind)
    with pytest.raises(InputError):
        await camera.push(data)
    assert camera.status.state == "connecting"
    await camera.close()


async def test_a_frame_of_a_stream_may_have_fewer_bytes_than_a_dropped_picture(camera):
    with pytest.raises(InputError, match="limit is 4 MiB"):
        await camera.push(b"\xff\xd8" + bytes(MAX_MESSAGE_BYTES))


async def test_the_size_may_change(camera):
    await camera.push(jpeg())
    await asyncio.wait_for(camera._decoding, 60)
    await camera.push(jpeg(width=32))
    await asyncio.wait_for(camera._decoding, 60)
    assert (camera.status.width, camera.status.height) == (32, 48)


async def test_a_closed_camera_shows_nothing_more(busy):
    executor, gate = busy
    camera = PushCamera("websocket", executor)
    await camera.push(jpeg())
    await asyncio.sleep(0)
    gate.set()
    await camera.close()
    await camera.close()
    assert camera.slot.newest is None
    assert camera.status.state == "ended"
    with pytest.raises(ConflictError):
        await camera.push(jpeg())
