"""Previews are compressed once for all who look, and only while somebody does."""

from __future__ import annotations

import asyncio
import contextlib

import av
import pytest
import simplejpeg

from live_vlm_webui.media import preview as module
from live_vlm_webui.media.camera import Camera
from live_vlm_webui.media.preview import Previews


class Lens(Camera):
    kind = "stream"

    async def close(self):
        self._end()


def image(value, width=1280, height=720):
    frame = av.VideoFrame(width, height, "yuvj420p")
    for plane, level in zip(frame.planes, (value, 128, 128), strict=True):
        plane.update(bytes([level]) * plane.buffer_size)
    return frame


def shade(picture):
    """To the nearest ten: a JPEG is not exact."""
    return round(simplejpeg.decode_jpeg(picture.jpeg)[0, 0, 0] / 10) * 10


@pytest.fixture
def compressed(monkeypatch):
    """How often a frame was compressed."""
    count = []
    compress = module.compress
    monkeypatch.setattr(module, "compress", lambda *arguments: count.append(1) or compress(*arguments))
    return count


async def next_of(pictures):
    return await asyncio.wait_for(anext(pictures), 60)


async def test_pictures_are_small():
    camera = Lens()
    camera._show(image(200))
    async with contextlib.aclosing(Previews().pictures(camera)) as pictures:
        picture = await next_of(pictures)
    assert (picture.width, picture.height, shade(picture)) == (640, 360, 200)


async def test_all_who_look_share_one_compression(compressed):
    camera, previews = Lens(), Previews(fps=1000)
    looking = [previews.pictures(camera) for _ in range(10)]
    camera._show(image(10))
    assert {shade(await next_of(pictures)) for pictures in looking} == {10}
    camera._show(image(20))
    seen = [await next_of(pictures) for pictures in looking]
    assert {id(picture) for picture in seen} == {id(seen[0])}
    assert len(compressed) == 2
    for pictures in looking:
        await pictures.aclose()


async def test_nothing_is_compressed_without_viewers(compressed):
    camera, previews = Lens(), Previews(fps=1000)
    camera._show(image(10))
    pictures = previews.pictures(camera)
    await next_of(pictures)
    await pictures.aclose()
    camera._show(image(20))
    await asyncio.sleep(0.02)
    assert len(compressed) == 1
    assert previews._strips == {}


async def test_the_rate_is_limited(compressed):
    camera, previews = Lens(), Previews(fps=1)
    seen = 0
    async with contextlib.aclosing(previews.pictures(camera)) as pictures:
        for number in range(40):
            camera._show(image(number))
            if number == 0:
                await next_of(pictures)
                seen += 1
            await asyncio.sleep(0.002)
    assert len(compressed) <= 3


async def test_who_is_slow_gets_the_newest():
    camera, previews = Lens(), Previews(fps=1000)
    quick, slow = previews.pictures(camera), previews.pictures(camera)
    camera._show(image(10))
    await next_of(slow)
    for value in (10, 20, 30):
        camera._show(image(value))
        while shade(await next_of(quick)) != value:
            pass
    assert shade(await next_of(slow)) == 30
    await quick.aclose()
    await slow.aclose()


async def test_pictures_end_with_the_camera():
    camera = Lens()
    camera._show(image(10))
    pictures = Previews(fps=1000).pictures(camera)
    assert shade(await next_of(pictures)) == 10
    waiting = asyncio.ensure_future(anext(pictures))
    await asyncio.sleep(0)
    await camera.close()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(waiting, 60)


async def test_a_camera_that_has_ended_shows_nothing():
    camera = Lens()
    await camera.close()
    assert [picture async for picture in Previews().pictures(camera)] == []


async def test_a_frame_that_cannot_be_compressed_is_skipped(monkeypatch, caplog):
    camera, previews = Lens(), Previews(fps=1000)
    compress, failed, loop = module.compress, asyncio.Event(), asyncio.get_running_loop()

    def fail_once(*arguments):
        monkeypatch.setattr(module, "compress", compress)
        loop.call_soon_threadsafe(failed.set)
        raise ValueError("a fault of ours")

    monkeypatch.setattr(module, "compress", fail_once)
    camera._show(image(10))
    pictures = previews.pictures(camera)
    waiting = asyncio.ensure_future(anext(pictures))
    await asyncio.wait_for(failed.wait(), 60)
    camera._show(image(20))
    assert shade(await asyncio.wait_for(waiting, 60)) == 20
    assert "a fault of ours" in caplog.text
    await pictures.aclose()


async def test_no_task_is_left_without_viewers():
    camera, previews = Lens(), Previews()
    before = asyncio.all_tasks()
    camera._show(image(10))
    pictures = previews.pictures(camera)
    await next_of(pictures)
    await pictures.aclose()
    for _ in range(1000):
        if asyncio.all_tasks() == before:
            break
        await asyncio.sleep(0.01)
    assert asyncio.all_tasks() == before
