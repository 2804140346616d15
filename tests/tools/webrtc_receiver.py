"""Receives browsers' cameras in a process of its own, whose CPU time and memory can then be asked for.

``python tests/tools/webrtc_receiver.py camera`` takes them as the server does; ``echo`` decodes each frame and sends
it back encoded anew, as the widely used implementation does. It prints its port, and answers ``POST /offer`` and
``GET /usage``.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading

import psutil
from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack

from live_vlm_webui.media.webrtc.camera import WebRtcCamera


class Received:
    """How many frames arrived."""

    def __init__(self) -> None:
        self.frames = 0
        self.cameras: list[WebRtcCamera] = []

    def count(self) -> int:
        """The sum of all connections."""
        return self.frames + sum(one.slot.newest.number for one in self.cameras if one.slot.newest is not None)


RECEIVED = web.AppKey("RECEIVED", Received)


class Echo(VideoStreamTrack):
    """The frames that a track receives, to be sent again."""

    def __init__(self, track: VideoStreamTrack, received: Received) -> None:
        super().__init__()
        self.track, self.received = track, received

    async def recv(self):
        """The next frame."""
        frame = await self.track.recv()
        self.received.frames += 1
        return frame


async def take(request: web.Request) -> web.Response:
    """``POST /offer`` by the product's own camera."""
    body = await request.json()
    camera = WebRtcCamera()
    request.app[RECEIVED].cameras.append(camera)
    return web.json_response({"sdp": await camera.accept(body["sdp"]), "type": "answer"})


async def echo(request: web.Request) -> web.Response:
    """``POST /offer`` by decoding and encoding each frame."""
    body = await request.json()
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    received = request.app[RECEIVED]
    connection.on("track", lambda track: track.kind == "video" and connection.addTrack(Echo(track, received)))
    await connection.setRemoteDescription(RTCSessionDescription(body["sdp"], "offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    return web.json_response({"sdp": connection.localDescription.sdp, "type": "answer"})


async def usage(request: web.Request) -> web.Response:
    """``GET /usage``: CPU seconds and MiB of this process, its threads, and the frames that arrived."""
    process = psutil.Process()
    times = process.cpu_times()
    return web.json_response(
        {
            "cpu": times.user + times.system,
            "memory": process.memory_info().rss / 2**20,
            "threads": threading.active_count(),
            "frames": request.app[RECEIVED].count(),
        }
    )


async def main(mode: str) -> None:
    """Serve until killed."""
    app = web.Application()
    app[RECEIVED] = Received()
    app.router.add_post("/offer", {"camera": take, "echo": echo}[mode])
    app.router.add_get("/usage", usage)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - a program's output
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
