"""What sessions hold is freed with them, and what is heavy is done where it holds up nobody."""

from __future__ import annotations

import asyncio
import functools
import threading

import pytest
import simplejpeg
import video
from openai_server import OpenAIServer
from webrtc_client import Peer, offer_to

from live_vlm_webui import app as application
from live_vlm_webui.media import jpeg
from live_vlm_webui.sessions.registry import Sessions

LINGER = 0.3


@pytest.fixture(scope="module")
def clip():
    return video.encode("h264", width=320, height=180, seconds=1)


@pytest.fixture
async def models():
    async with OpenAIServer(total=0.1) as server:
        yield server


async def eventually(true, seconds: float = 10) -> bool:
    for _ in range(int(seconds * 20)):
        if true():
            return True
        await asyncio.sleep(0.05)
    return False


def new_tasks(before: set[asyncio.Task]) -> set[asyncio.Task]:
    """Tasks that run since, but for this one and those that wait for a kept connection's next request."""
    tasks = {task for task in asyncio.all_tasks() - before if not task.done() and task is not asyncio.current_task()}
    return {task for task in tasks if task.get_coro().__qualname__ != "RequestHandler.start"}


async def test_a_session_is_freed_with_its_camera_and_its_question_when_its_browser_has_left(
    serve, models, clip, monkeypatch
):
    monkeypatch.setattr(application, "Sessions", functools.partial(Sessions, linger=LINGER))
    api = await serve(monitor_interval=60)
    peer = Peer(clip)
    tasks = asyncio.all_tasks()
    async with api.watch() as events:
        session = (await events.next())["id"]
        await events.socket.send_json(
            {"type": "settings", "api_base": models.api_base, "model": models.models[0], "prompt": "Mine."}
        )
        await peer.connect(offer_to(api.http, api.url, session))
        await events.until("answer.finished")
        models.behave(fault="stall")
        await events.until("answer.started")
    assert await models.ended(models.asked[-1]) == "disconnected"
    assert (await api.ask("GET", f"/api/sessions/{session}"))[0] == 404
    await peer.close()
    assert await eventually(lambda: not new_tasks(tasks)), new_tasks(tasks)
    assert not {thread.name for thread in threading.enumerate() if thread.name.startswith("decoder")}


async def test_a_browser_that_reloads_its_page_finds_its_session_again(serve, monkeypatch):
    monkeypatch.setattr(application, "Sessions", functools.partial(Sessions, linger=5))
    api = await serve()
    async with api.watch() as events:
        session = (await events.next())["id"]
        await events.socket.send_json({"type": "settings", "prompt": "Still mine?"})
        await events.until("settings")
    async with api.watch(session) as events:
        assert (await events.next())["settings"]["prompt"] == "Still mine?"


async def test_two_hundred_browsers_that_come_and_go_leave_nothing(serve, monkeypatch):
    monkeypatch.setattr(application, "Sessions", functools.partial(Sessions, linger=0))
    api = await serve(monitor_interval=60)
    tasks = asyncio.all_tasks()
    for _ in range(100):
        async with api.watch() as one, api.watch() as other:
            await asyncio.gather(one.next(), other.next())
    assert b"live_vlm_sessions 0.0" in (await api.ask("GET", "/metrics"))[1]
    assert await eventually(lambda: not new_tasks(tasks)), new_tasks(tasks)


async def test_frames_are_scaled_and_compressed_in_the_encoders_threads_alone(api, models, clip, monkeypatch):
    where = []
    encode = simplejpeg.encode_jpeg_yuv_planes
    monkeypatch.setattr(
        jpeg,
        "full_range_planes",
        lambda *planes, real=jpeg.full_range_planes: where.append(threading.current_thread()) or real(*planes),
    )
    monkeypatch.setattr(
        simplejpeg,
        "encode_jpeg_yuv_planes",
        lambda *a, **k: where.append(threading.current_thread()) or encode(*a, **k),
    )
    peer = Peer(clip)
    async with api.watch() as events:
        session = (await events.next())["id"]
        await events.socket.send_json({"type": "settings", "api_base": models.api_base, "model": models.models[0]})
        await peer.connect(offer_to(api.http, api.url, session))
        await events.until("answer.finished")
    await peer.close()
    assert where
    assert {thread.name.rpartition("_")[0] for thread in where} == {"encoder"}
