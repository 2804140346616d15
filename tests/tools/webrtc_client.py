"""Browsers' cameras for tests: aiortc peers that send video which was encoded beforehand.

As a program it sends from many peers at once to a running server and prints what it sent as one line of JSON::

    python tests/tools/webrtc_client.py http://127.0.0.1:8090 --peers 20 --size 320x180 --seconds 60

Nothing is encoded while it sends, so that 20 peers take a fraction of a core.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from fractions import Fraction

import aiohttp
import av
import video
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

Exchange = Callable[[str], Awaitable[str]]
"""Takes an offer's SDP, gives the answer's."""

TIME_BASE = Fraction(1, video.CLOCK_RATE)
MIME_TYPES = {"h264": "video/H264", "vp8": "video/VP8"}


class ClipTrack(MediaStreamTrack):
    """Plays a clip in a loop, in real time, as packets that aiortc sends as they are."""

    kind = "video"

    def __init__(self, clip: video.Clip) -> None:
        super().__init__()
        self.clip = clip
        self.sent = 0
        self._began: float | None = None
        self._resumed = asyncio.Event()
        self._resumed.set()

    def pause(self) -> None:
        """Send nothing until ``resume``, as a camera that was covered."""
        self._resumed.clear()

    def resume(self) -> None:
        """Send again, from where the clip was."""
        self._resumed.set()

    async def recv(self) -> av.Packet:
        """The next packet, when its time has come."""
        if not self._resumed.is_set():
            await self._resumed.wait()
        if self.readyState != "live":
            raise MediaStreamError
        rounds, position = divmod(self.sent, len(self.clip.packets))
        one = self.clip.packets[position]
        timestamp = rounds * self.clip.duration + one.timestamp
        if self._began is None:
            self._began = time.monotonic()
        delay = self._began + timestamp / video.CLOCK_RATE - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        elif delay < -1:
            self._began -= delay
        packet = av.Packet(one.data)
        packet.pts, packet.time_base = timestamp, TIME_BASE
        self.sent += 1
        return packet


class Peer:
    """One browser: a peer connection that sends a clip.

    Args:
        clip: What it sends.
        audio: Whether it offers a microphone too, as a page that asks for both would.
        echoed: Whether it takes video too, for servers that send it back.
    """

    def __init__(self, clip: video.Clip, *, audio: bool = False, echoed: bool = False) -> None:
        self.track = ClipTrack(clip)
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.received: list[MediaStreamTrack] = []
        self.connection.on("track", self.received.append)
        if audio:
            self.connection.addTransceiver("audio", "sendrecv")
        transceiver = self.connection.addTransceiver(self.track, "sendrecv" if echoed else "sendonly")
        wanted = MIME_TYPES[clip.codec]
        codecs = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences([one for one in codecs if one.mimeType in (wanted, "video/rtx")])

    async def connect(self, exchange: Exchange, seconds: float = 20) -> str:
        """Offer, take the answer, and wait until connected.

        Returns:
            The answer.
        """
        answer = await self.offer(exchange)
        ends = time.monotonic() + seconds
        while self.connection.connectionState != "connected":
            if time.monotonic() > ends or self.connection.connectionState in ("failed", "closed"):
                raise ConnectionError(f"The peer connection is {self.connection.connectionState}.")
            await asyncio.sleep(0.01)
        return answer

    async def offer(self, exchange: Exchange) -> str:
        """Offer and take the answer; also again, on the same connection."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        answer = await exchange(self.connection.localDescription.sdp)
        await self.connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        return answer

    async def close(self) -> None:
        """Leave, as a page that is closed."""
        self.track.resume()
        self.track.stop()
        await self.connection.close()


def offer_to(http: aiohttp.ClientSession, url: str, session: str | None) -> Exchange:
    """What exchanges descriptions over ``POST /offer``."""

    async def exchange(sdp: str) -> str:
        body = {"sdp": sdp, "type": "offer"} | ({"session": session} if session else {})
        async with http.post(f"{url}/offer", json=body) as response:
            if response.status != 200:
                raise ConnectionError(f"/offer answered {response.status}: {await response.text()}")
            return str((await response.json())["sdp"])

    return exchange


async def new_session(http: aiohttp.ClientSession, url: str) -> str:
    """A session's id, from ``POST /api/sessions``."""
    async with http.post(f"{url}/api/sessions", json={}) as response:
        if response.status not in (200, 201):
            raise ConnectionError(f"/api/sessions answered {response.status}: {await response.text()}")
        return str((await response.json())["id"])


@dataclass(frozen=True)
class Sent:
    """What one peer did."""

    session: str | None
    state: str
    frames: int


async def send(arguments: argparse.Namespace) -> list[Sent]:
    """Connect the peers, send for the time given, and leave."""
    width, _, height = arguments.size.partition("x")
    clip = video.encode(
        arguments.codec,
        width=int(width),
        height=int(height),
        fps=arguments.fps,
        seconds=arguments.clip_seconds,
        bit_rate=arguments.bit_rate,
    )
    headers = {"Authorization": f"Bearer {arguments.token}"} if arguments.token else {}
    peers: list[tuple[str | None, Peer]] = []
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(ssl=False)) as http:
        try:
            for _ in range(arguments.peers):
                session = None if arguments.without_session else await new_session(http, arguments.url)
                peers.append((session, Peer(clip)))
                await peers[-1][1].connect(offer_to(http, arguments.url, session))
            sys.stderr.write("sending\n")
            await asyncio.sleep(arguments.seconds)
            return [Sent(session, peer.connection.connectionState, peer.track.sent) for session, peer in peers]
        finally:
            await asyncio.gather(*(peer.close() for _, peer in peers))


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="where the server is, such as http://127.0.0.1:8090")
    parser.add_argument("--peers", type=int, default=1)
    parser.add_argument("--codec", choices=sorted(MIME_TYPES), default="h264")
    parser.add_argument("--size", default="1280x720", metavar="WIDTHxHEIGHT")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--bit-rate", type=int, default=1_500_000, help="bits per second")
    parser.add_argument("--clip-seconds", type=float, default=4, help="how much is encoded before it is repeated")
    parser.add_argument("--seconds", type=float, default=30, help="how long to send")
    parser.add_argument("--token", default="", help="for a server that is not on loopback")
    parser.add_argument("--without-session", action="store_true", help="for servers whose /offer takes no session")
    arguments = parser.parse_args()
    arguments.url = arguments.url.rstrip("/")
    print(json.dumps([asdict(one) for one in asyncio.run(send(arguments))]))  # noqa: T201 - a program's output


if __name__ == "__main__":
    main()
