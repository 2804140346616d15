"""The environment of measurements: a server, a slow model, cameras, and browsers."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TOOLS = Path(__file__).parents[1] / "tests" / "tools"
if str(TOOLS) not in sys.path:
    sys.path.append(str(TOOLS))

import aiohttp  # noqa: E402 - the tools' directory has to be on the path
import psutil  # noqa: E402
import video  # noqa: E402
from figures import Figure  # noqa: E402
from webrtc_client import Peer, offer_to  # noqa: E402

__all__ = [
    "Figure",
    "Meter",
    "Peer",
    "Watcher",
    "World",
    "app_server",
    "connect",
    "free_port",
    "model_server",
    "rtsp_server",
    "video",
]

START_SECONDS = 30
STOP_SECONDS = 10


@contextmanager
def process(*command: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a program that prints one line when it is ready; yield it and that line, and end it afterwards."""
    running = subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        assert running.stdout is not None
        line = running.stdout.readline().strip()
        if not line:
            raise SystemExit(f"{' '.join(command)} ended with {running.wait(STOP_SECONDS)} before it was ready.")
        yield running, line
    finally:
        if running.poll() is None:
            running.terminate()
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        running.stdout.close()


@contextmanager
def model_server(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a model server on loopback; yield it and its API's address."""
    with process(str(TOOLS / "openai_server.py"), "--keep", "1", *options) as ready:
        yield ready


@contextmanager
def rtsp_server(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run an RTSP host on loopback; yield it and the address of its stream."""
    with process(str(TOOLS / "rtsp_server.py"), *options) as ready:
        yield ready


def free_port() -> int:
    """Return a free TCP port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def app_server(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the installed app on a free port of loopback; yield it and its address."""
    with (
        TemporaryDirectory() as data,
        process("-m", "live_vlm_webui", "--no-ssl", "--port", "0", *options, LIVE_VLM_DATA=data) as (server, line),
    ):
        yield server, line.split(" is ready: ")[1].split()[0].rstrip("/")


@dataclass
class Watcher:
    """A browser connected to a session.

    Attributes:
        session: The session's id.
        events: What it was told, in order.
        closed: Why the server closed it; empty while it is open.
    """

    session: str
    events: list[dict[str, Any]] = field(default_factory=list)
    closed: str = ""

    def of(self, kind: str, since: int = 0) -> list[dict[str, Any]]:
        """Return the events of a kind after the first ``since``."""
        return [event for event in self.events[since:] if event["type"] == kind]

    async def until(self, kind: str, seconds: float, since: int = 0, state: str = "") -> dict[str, Any]:
        """Wait for an event, of a camera in ``state`` if given.

        Raises:
            TimeoutError: It did not come.
        """
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for event in self.of(kind, since):
                if not state or (event["camera"] or {}).get("state") == state:
                    return event
            await asyncio.sleep(0.02)
        raise TimeoutError(f"Session {self.session} told no {state} {kind} within {seconds:g} s.")


class World:
    """A running server and its connections.

    Args:
        http: What requests go through; it carries the token, if there is one.
        url: Where the server is, without a slash at the end.
        model: The API's address of the model that its sessions ask.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, model: str) -> None:
        self.http = http
        self.url = url
        self.model = model
        self._readers: list[asyncio.Task[None]] = []
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []
        self._peers: list[Peer] = []

    async def session(self, **settings: object) -> str:
        """Create a session that asks ``model``, and return its id."""
        async with self.http.post(f"{self.url}/api/sessions", json={"api_base": self.model, **settings}) as answer:
            answer.raise_for_status()
            return str((await answer.json())["id"])

    async def change(self, session: str, **settings: object) -> None:
        """Change settings of a session."""
        async with self.http.patch(f"{self.url}/api/sessions/{session}", json=settings) as answer:
            answer.raise_for_status()

    async def watch(self, session: str) -> Watcher:
        """Connect a browser to a session."""
        connection = await self.http.ws_connect(f"{self.url}/ws", params={"session": session}, max_msg_size=0)
        watcher = Watcher(session)
        self._sockets.append(connection)
        self._readers.append(asyncio.create_task(_read(connection, watcher)))
        return watcher

    async def leave(self, count: int) -> None:
        """Disconnect the last browsers."""
        for _ in range(count):
            await self._sockets.pop().close()
            await self._readers.pop()

    async def camera(self, session: str, clip: video.Clip) -> Peer:
        """Connect a browser's camera that sends ``clip`` in a loop."""
        peer = Peer(clip)
        self._peers.append(peer)
        await peer.connect(offer_to(self.http, self.url, session))
        return peer

    async def stream(self, session: str, address: str) -> None:
        """Make an RTSP host or a file the camera of a session."""
        async with self.http.put(f"{self.url}/api/sessions/{session}/camera", json={"address": address}) as answer:
            answer.raise_for_status()

    async def answers(self, session: str) -> list[dict[str, Any]]:
        """Return the history of a session."""
        async with self.http.get(f"{self.url}/api/sessions/{session}/answers") as answer:
            answer.raise_for_status()
            return list((await answer.json())["answers"])

    async def close(self) -> None:
        """Disconnect everything."""
        await asyncio.gather(*(peer.close() for peer in self._peers))
        await self.leave(len(self._sockets))


async def _read(connection: aiohttp.ClientWebSocketResponse, watcher: Watcher) -> None:
    async for message in connection:
        if message.type is aiohttp.WSMsgType.TEXT:
            watcher.events.append(json.loads(message.data))
    watcher.closed = f"{connection.close_code}"


@asynccontextmanager
async def connect(url: str, model: str, token: str = "") -> AsyncIterator[World]:
    """Connect to a server."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=False, limit=0)) as http:
        world = World(http, url.rstrip("/"), model)
        try:
            yield world
        finally:
            await world.close()


class Meter:
    """CPU time and memory of a process on this machine and its children."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)

    def _all(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]

    @property
    def processor_seconds(self) -> float:
        """Return the user and system time so far."""
        return sum(one.cpu_times().user + one.cpu_times().system for one in self._all())

    @property
    def memory(self) -> float:
        """The resident memory, in MB."""
        return sum(one.memory_info().rss for one in self._all()) / 1e6

    async def load(self, seconds: float) -> float:
        """Return the use of one core over the next ``seconds``, in percent."""
        before, began = self.processor_seconds, time.monotonic()
        await asyncio.sleep(seconds)
        return 100 * (self.processor_seconds - before) / (time.monotonic() - began)
