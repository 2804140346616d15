"""An RTSP camera for tests: H.264 by RTP in the TCP connection (RFC 2326, RFC 6184), with faults on request.

As a program it prints its address and serves until it is killed::

    python tests/tools/rtsp_server.py --size 640x360
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import random
import re
import ssl
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import video

Fault = Literal["", "silent", "silent after options", "no video", "missing", "forbidden", "garbage", "no tcp"]
PAYLOAD_TYPE = 96
MAX_PAYLOAD = 1400
REALM, NONCE = "camera", "5ccc069c403ebaf9f0171e9517f40e41"


@dataclass
class Camera:
    """A server on loopback.

    Attributes:
        clip: What it shows, in a loop, in real time; H.264.
        user: Who may look; empty for everybody.
        password: Theirs.
        scheme: How they show that: ``Basic`` or ``Digest``.
        fault: What is wrong with it, from the next request on.
        tls: For ``rtsps``.
        requests: The methods that were asked, of all connections.
    """

    clip: video.Clip
    user: str = ""
    password: str = ""
    scheme: Literal["Basic", "Digest"] = "Digest"
    fault: Fault = ""
    tls: ssl.SSLContext | None = None
    requests: list[str] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    _flowing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its address, credentials included."""
        credentials = f"{self.user}:{self.password}@" if self.user else ""
        return f"rtsp{'s' if self.tls else ''}://{credentials}127.0.0.1:{self.port}/live"

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._writers)

    async def plug(self) -> Camera:
        """Listen, on the port of the last time if there was one."""
        self._flowing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def unplug(self) -> None:
        """Drop all connections and listen no more."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        if self._server is not None:
            await self._server.wait_closed()
            self._server = None
        await asyncio.gather(*self._serving, return_exceptions=True)

    def freeze(self) -> None:
        """Send nothing more, and keep the connections."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Send again."""
        self._flowing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        playing: asyncio.Task[None] | None = None
        try:
            while request := await _read_request(reader):
                method, headers = request
                self.requests.append(method)
                if self.fault == "silent" or (self.fault == "silent after options" and method != "OPTIONS"):
                    continue
                if self.fault == "garbage":
                    writer.write(b"\x00\x17\x2a no words \xff\r\n\r\n" * 20)
                    continue
                writer.write(self._answer(method, headers))
                if method == "PLAY" and playing is None:
                    playing = asyncio.ensure_future(self._play(writer))
                if method == "TEARDOWN":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            if playing is not None:
                playing.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await playing
            writer.close()
            self._writers.discard(writer)

    def _answer(self, method: str, headers: dict[str, str]) -> bytes:
        if method == "OPTIONS":
            return _response(200, headers, Public="OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")
        if self.user and not self._is_allowed(method, headers.get("authorization", "")):
            challenge = (
                f'Digest realm="{REALM}", nonce="{NONCE}"' if self.scheme == "Digest" else f'Basic realm="{REALM}"'
            )
            return _response(401, headers, **{"WWW-Authenticate": challenge})
        if self.fault in ("missing", "forbidden"):
            return _response(404 if self.fault == "missing" else 403, headers)
        if method == "DESCRIBE":
            return _response(200, headers, self._description(), **{"Content-Type": "application/sdp"})
        if method == "SETUP":
            if self.fault == "no tcp" or "TCP" not in headers.get("transport", ""):
                return _response(461, headers)
            return _response(200, headers, Transport="RTP/AVP/TCP;unicast;interleaved=0-1", Session="12345678")
        return _response(200, headers, Session="12345678")

    def _is_allowed(self, method: str, authorization: str) -> bool:
        if self.scheme == "Basic":
            expected = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return authorization == f"Basic {expected}"
        given = dict(re.findall(r'(\w+)="([^"]*)"', authorization))
        first = _md5(f"{self.user}:{REALM}:{self.password}")
        second = _md5(f"{method}:{given.get('uri', '')}")
        return given.get("response") == _md5(f"{first}:{NONCE}:{second}")

    def _description(self) -> str:
        sets = [unit for unit in _units(self.clip.packets[0].data) if unit[0] & 0x1F in (7, 8)]
        encoded = ",".join(base64.b64encode(unit).decode() for unit in sets)
        medium = f"m=video 0 RTP/AVP {PAYLOAD_TYPE}\r\na=rtpmap:{PAYLOAD_TYPE} H264/90000\r\n"
        medium += f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;sprop-parameter-sets={encoded}\r\na=control:track1\r\n"
        if self.fault == "no video":
            medium = "m=audio 0 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=control:track1\r\n"
        return f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n{medium}"

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        sequence, source, offset = random.getrandbits(16), random.getrandbits(32), random.getrandbits(32)
        began, sent = time.monotonic(), 0
        while True:
            await self._flowing.wait()
            rounds, position = divmod(sent, len(self.clip.packets))
            packet = self.clip.packets[position]
            timestamp = rounds * self.clip.duration + packet.timestamp
            await asyncio.sleep(began + timestamp / video.CLOCK_RATE - time.monotonic())
            payloads = [payload for unit in _units(packet.data) for payload in _payloads(unit)]
            for number, payload in enumerate(payloads):
                last = number == len(payloads) - 1
                header = struct.pack(
                    ">BBHII",
                    0x80,
                    PAYLOAD_TYPE | (0x80 if last else 0),
                    sequence & 0xFFFF,
                    (offset + timestamp) & 0xFFFFFFFF,
                    source,
                )
                writer.write(b"$\0" + struct.pack(">H", len(header) + len(payload)) + header + payload)
                sequence += 1
            await writer.drain()
            sent += 1


async def _read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]] | None:
    """The next request; RTCP that comes between is passed over. None at the end."""
    while True:
        first = await reader.read(1)
        if not first:
            return None
        if first != b"$":
            break
        _, length = struct.unpack(">BH", await reader.readexactly(3))
        await reader.readexactly(length)
    lines = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    await reader.readexactly(int(headers.get("content-length", 0)))
    return lines[0].split(" ")[0], headers


def _response(status: int, request: dict[str, str], body: str = "", **headers: str) -> bytes:
    lines = [f"RTSP/1.0 {status} {'OK' if status == 200 else 'No'}", f"CSeq: {request.get('cseq', '0')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", body]
    return "\r\n".join(lines).encode()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def _units(data: bytes) -> Iterator[bytes]:
    """The NAL units between start codes."""
    return (unit for unit in re.split(b"\x00?\x00\x00\x01", data) if unit)


def _payloads(unit: bytes) -> Iterator[bytes]:
    """Whole, or in fragments (FU-A)."""
    if len(unit) <= MAX_PAYLOAD:
        yield unit
        return
    kind, rest = unit[0] & 0x1F, unit[1:]
    for at in range(0, len(rest), MAX_PAYLOAD):
        part = rest[at : at + MAX_PAYLOAD]
        marks = (0x80 if at == 0 else 0) | (0x40 if at + MAX_PAYLOAD >= len(rest) else 0)
        yield bytes([unit[0] & 0xE0 | 28, marks | kind]) + part


async def serve(arguments: argparse.Namespace) -> None:
    """Run until killed."""
    width, _, height = arguments.size.partition("x")
    clip = video.encode("h264", width=int(width), height=int(height), fps=arguments.fps, bit_rate=arguments.bit_rate)
    camera = await Camera(clip, port=arguments.port).plug()
    print(camera.url, flush=True)  # noqa: T201 - a program's output
    await asyncio.Event().wait()


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--size", default="320x180", metavar="WIDTHxHEIGHT")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--bit-rate", type=int, default=400_000, help="bits per second")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
