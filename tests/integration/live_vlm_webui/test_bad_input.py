"""What no careful client sends, 2,000 times over, to a real server: never a 500, never a loop that stands still."""

from __future__ import annotations

import asyncio
import collections
import os
import time

import aiohttp
import pytest
import simplejpeg
import video
from bad_input import BadInput, Request
from described import DescribedClient
from openai_server import OpenAIServer
from webrtc_client import Peer, offer_to
from yarl import URL

REQUESTS = 1000
MESSAGES = 700
RAW = 300
AT_ONCE = 8
PATIENCE = 10.0
GAP = 3.0
"""The longest that browsers may hear nothing of the monitor, which speaks four times a second."""
SEED = int(os.environ.get("LIVE_VLM_TEST_SEED", "20261122"))


@pytest.fixture
async def world(start_server):
    """A server, a client of it that checks its answers, and a session of the client's with a browser."""
    server = start_server("--port", "0", "--no-ssl", "--monitor-interval", "0.25")
    async with aiohttp.ClientSession() as http, OpenAIServer(total=0.1) as models:
        api = await DescribedClient.open(http, server.url)
        settings = {"api_base": models.api_base, "model": models.models[0]}
        _, made = await api.ask("POST", "/api/sessions", json=settings)
        yield api, made["id"], models
    _, told = server.stop()
    assert "Traceback" not in told, told[-10_000:]
    assert " ERROR " not in told, told[-10_000:]


@pytest.mark.alone
async def test_two_thousand_bad_messages_neither_break_nor_stop_the_server(world):
    api, session, models = world
    clip = video.encode(width=320, height=180, seconds=0.5)
    offering = Peer(clip)
    await offering.connection.setLocalDescription(await offering.connection.createOffer())
    jpeg = simplejpeg.encode_jpeg(video.scene(0, 320, 180))
    bad = BadInput(SEED, session, offering.connection.localDescription.sdp, jpeg)
    statuses: collections.Counter[int] = collections.Counter()
    began = time.monotonic()
    listening = asyncio.create_task(longest_silence(api))
    work = [*[send_request] * REQUESTS, *[send_raw] * RAW]
    queue = asyncio.Queue()
    for one in work:
        queue.put_nowait(one)

    async def worker():
        while not queue.empty():
            statuses[await queue.get_nowait()(api, bad)] += 1

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)), send_messages(api, bad, session))
    took = time.monotonic() - began
    listening.cancel()
    assert took < 60
    assert await listening < GAP
    assert {status for status in statuses if status >= 500} <= {502, 504}  # another server does not answer
    assert statuses[400] > 100
    assert statuses[404] > 20
    await still_answers(api, models, clip)
    await offering.close()


async def send_request(api: DescribedClient, bad: BadInput) -> int:
    request: Request = bad.request()
    try:
        async with api.http.request(
            request.method,
            URL(api.url + request.path, encoded=True),
            data=request.body,
            headers=request.headers,
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
            allow_redirects=False,
        ) as answer:
            body = await answer.content.read(200_000)
            if answer.status >= 500:
                assert answer.status in {502, 504}, (request, body)
            if answer.status in {200, 201} and request.method == "POST" and request.path == "/api/sessions":
                await api.ask("DELETE", answer.headers["Location"])
            return answer.status
    except aiohttp.ClientError:
        return 0  # what was wrong with it ended the connection
    except asyncio.TimeoutError:
        pytest.fail(f"no answer to {request}"[:2000])


async def send_raw(api: DescribedClient, bad: BadInput) -> int:
    url = URL(api.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        writer.write(bad.raw())
        await writer.drain()
        writer.write_eof()
        line = await asyncio.wait_for(reader.readline(), PATIENCE)
        return int(line.split()[1]) if line.startswith(b"HTTP/") else 0
    except OSError:
        return 0
    finally:
        writer.close()


async def send_messages(api: DescribedClient, bad: BadInput, session: str) -> None:
    """Send to the session's socket, and connect again each time that the server has had enough."""
    left = MESSAGES
    while left:
        async with api.watch(session) as events:
            await events.until("session")
            reading = asyncio.create_task(read_on(events))
            while left and not reading.done():
                left -= 1
                message = bad.message()
                try:
                    send = events.socket.send_str if isinstance(message, str) else events.socket.send_bytes
                    await asyncio.wait_for(send(message), PATIENCE)
                except OSError:
                    break
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def read_on(events) -> None:
    """Take what comes; each event is checked against the description."""
    try:
        while True:
            await events.next(PATIENCE)
    except EOFError:
        return


async def longest_silence(api: DescribedClient) -> float:
    """Watch a session of its own until cancelled; how long it heard nothing at most, in seconds."""
    longest, last = 0.0, time.monotonic()
    try:
        async with api.watch() as events:
            while True:
                await events.next(PATIENCE)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
    except asyncio.CancelledError:
        return longest


async def still_answers(api: DescribedClient, models: OpenAIServer, clip: video.Clip) -> None:
    _, made = await api.ask("POST", "/api/sessions", json={"api_base": models.api_base, "model": models.models[0]})
    peer = Peer(clip)
    async with api.watch(made["id"]) as events:
        await events.next()
        began = time.monotonic()
        await peer.connect(offer_to(api.http, api.url, made["id"]))
        await events.until("answer.finished", seconds=PATIENCE)
        assert time.monotonic() - began < 3 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    await peer.close()
