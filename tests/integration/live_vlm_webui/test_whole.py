"""The server as a process of its own, with all of its parts in use."""

from __future__ import annotations

import asyncio
import signal
import time

import aiohttp
import pytest
import rtsp_server
import simplejpeg
import video
from described import DescribedClient
from openai_server import OpenAIServer
from webrtc_client import Peer, offer_to

STOP_SECONDS = 3.0


@pytest.fixture(scope="module")
def clip():
    return video.encode(width=640, height=360, seconds=1)


@pytest.fixture
async def models():
    async with OpenAIServer(total=0.2) as server:
        yield server


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as http:
        yield http


async def new_session(api, models) -> str:
    _, made = await api.ask("POST", "/api/sessions", json={"api_base": models.api_base, "model": models.models[0]})
    return made["id"]


@pytest.mark.parametrize("answering", [True, False], ids=["answering", "waiting for a model that says nothing"])
async def test_it_stops_within_three_seconds_with_sessions_open(start_server, http, models, clip, answering):
    server = start_server("--port", "0", "--no-ssl")
    api = await DescribedClient.open(http, server.url)
    if not answering:
        models.behave(fault="stall")
    sessions = [await new_session(api, models) for _ in range(3)]
    peer = Peer(clip)
    async with api.watch(sessions[0]) as one, api.watch(sessions[1]) as other, api.watch(sessions[1]) as third:
        await peer.connect(offer_to(http, api.url, sessions[0]))
        await asyncio.gather(one.next(), other.next(), third.next())
        await other.socket.send_bytes(simplejpeg.encode_jpeg(video.scene(0, 640, 360)))
        await asyncio.gather(*(events.until("answer.started") for events in (one, other, third)))
        silent = await rtsp_server.Camera(clip, fault="silent").plug()
        await api.ask("PUT", f"/api/sessions/{sessions[2]}/camera", json={"address": silent.url})
        preview = await http.get(f"{api.url}/api/sessions/{sessions[0]}/preview")
        await preview.content.readuntil(b"Content-Length")
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        closing = await asyncio.gather(*(events.until("closing") for events in (one, other, third)))
        _, told = await asyncio.to_thread(server.process.communicate, timeout=60)
        took = time.monotonic() - began
    preview.close()
    await peer.close()
    await silent.unplug()
    assert [event["reason"] for event in closing] == ["The server is stopping."] * 3
    assert took < STOP_SECONDS
    assert server.process.returncode == 0
    assert "Traceback" not in told
    assert " ERROR " not in told
    assert " WARNING " not in told


async def test_keys_and_prompts_are_not_logged_however_much_is(start_server, http, models, clip):
    server = start_server("--port", "0", "--no-ssl", "--log-level", "debug")
    api = await DescribedClient.open(http, server.url)
    settings = {
        "api_base": models.api_base,
        "model": models.models[0],
        "api_key": "sk-hush-hush",
        "prompt": "Where is Wally?",
    }
    _, made = await api.ask("POST", "/api/sessions", json=settings)
    async with api.watch(made["id"]) as events:
        await events.socket.send_bytes(simplejpeg.encode_jpeg(video.scene(0, 640, 360)))
        await events.until("answer.finished")
        await api.ask("GET", "/api/models?api_key=sk-hush-hush")
        await api.ask("GET", f"/api/sessions/{made['id']}")
    assert models.asked[-1].key == "sk-hush-hush"
    _, told = await asyncio.to_thread(server.stop)
    assert "POST /api/sessions" in told
    assert made["id"] not in told
    assert "sk-hush-hush" not in told
    assert "Wally" not in told
