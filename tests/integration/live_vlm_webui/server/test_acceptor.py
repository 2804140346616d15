"""What arrives at the port: TLS, plain HTTP, silence and floods."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from live_vlm_webui.config.settings import Settings
from live_vlm_webui.network.hosts import Hosts
from live_vlm_webui.server import acceptor as acceptor_module
from live_vlm_webui.server.acceptor import Acceptor
from live_vlm_webui.tls.context import server_context


async def hello(request: web.BaseRequest) -> web.Response:
    return web.Response(text=f"hello by {request.scheme}")


@dataclass
class Door:
    acceptor: Acceptor
    server: web.Server
    port: int
    certificate: Path | None

    async def say(self, sent: bytes, *, tls: ssl.SSLContext | bool = False) -> bytes:
        """Send something on a connection of its own, and read until the other side closes it."""
        context = self.trusting() if tls is True else tls or None
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context)
        writer.write(sent)
        await writer.drain()
        try:
            return await asyncio.wait_for(reader.read(), 60)
        finally:
            writer.close()

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)


async def opened(settings: Settings) -> AsyncIterator[Door]:
    context = certificate = None
    if settings.ssl:
        context, told = server_context(settings)
        certificate = told.path
    server = web.Server(hello)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = Acceptor(listener, server, context, Hosts(settings))
        acceptor.open()
        yield Door(acceptor, server, listener.getsockname()[1], certificate)
        await acceptor.close()
        await server.shutdown(0.1)
        await acceptor.break_off()


@pytest.fixture
async def door(tmp_path) -> AsyncIterator[Door]:
    async for one in opened(Settings(data_dir=tmp_path)):
        yield one


@pytest.fixture
async def http_door(tmp_path) -> AsyncIterator[Door]:
    async for one in opened(Settings(data_dir=tmp_path, ssl=False)):
        yield one


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until ``holds``, which nothing tells; fail after 5 seconds."""
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")


GET = b"GET /page?a=b HTTP/1.1\r\nHost: localhost:8090\r\nConnection: close\r\n\r\n"


async def test_https_is_answered(door):
    answer = await door.say(GET, tls=True)
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert answer.endswith(b"hello by https")


async def test_without_a_certificate_http_is_answered(http_door):
    assert (await http_door.say(GET)).endswith(b"hello by http")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_tls_is_turned_away(door, version):
    old = door.trusting()
    old.minimum_version = old.maximum_version = version
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await door.say(GET, tls=old)


async def test_plain_http_is_sent_to_the_same_place_by_https(door):
    answer = await door.say(GET)
    assert answer.startswith(b"HTTP/1.1 307 ")
    assert b"\r\nLocation: https://localhost:8090/page?a=b\r\n" in answer
    assert b"\r\nCache-Control: no-store\r\n" in answer
    assert b"hello" not in answer


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n\r\n" + b"x" * 20,
        b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\x7f\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"x" * 8192,
    ],
    ids=lambda sent: repr(sent[:24]),
)
async def test_whatever_else_is_no_tls_is_told_what_is_spoken_here(door, sent):
    answer = await door.say(sent)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Location" not in answer
    assert b"This port serves HTTPS" in answer


async def test_a_header_cannot_be_smuggled_into_the_redirection(door):
    answer = await door.say(b"GET /\rX: y HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"X: y" not in answer
    answer = await door.say(b"GET / HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n")
    assert b"X: y" not in answer


async def test_a_silent_connection_is_closed(door, monkeypatch):
    monkeypatch.setattr(acceptor_module, "HELLO_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()


async def test_without_https_a_silent_connection_is_closed_too(http_door, monkeypatch):
    monkeypatch.setattr(acceptor_module, "HELLO_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", http_door.port)
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()


@pytest.mark.parametrize("said", [b"\x16", b"\x16\x03\x01\x02\x00\x01", b"GET / HT"])
async def test_a_connection_that_stops_in_the_middle_is_closed(door, monkeypatch, said):
    monkeypatch.setattr(acceptor_module, "HELLO_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    writer.write(said)
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()


async def test_broken_handshakes_leave_nothing_behind_and_log_nothing(door, caplog):
    for _ in range(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
        writer.write(b"\x16\x03\x01\x00\x05hello")
        await asyncio.wait_for(reader.read(), 60)
        writer.close()
    distrusting = ssl.create_default_context()
    for _ in range(3):
        with pytest.raises(ssl.SSLError):
            await door.say(GET, tls=distrusting)
    assert (await door.say(GET, tls=True)).startswith(b"HTTP/1.1 200")
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


async def test_a_flood_of_silent_connections_is_bounded_and_passes(door, monkeypatch):
    monkeypatch.setattr(acceptor_module, "HELLO_SECONDS", 600)
    monkeypatch.setattr(acceptor_module, "MOST_ARRIVING", 8)
    silent = [await asyncio.open_connection("127.0.0.1", door.port) for _ in range(8)]
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    assert await asyncio.wait_for(reader.read(), 60) == b""
    for _, held in [*silent, (reader, writer)]:
        held.close()
    await eventually(lambda: not door.acceptor._arriving)
    assert (await door.say(GET, tls=True)).startswith(b"HTTP/1.1 200")


async def test_silent_connections_block_no_others(door, monkeypatch):
    monkeypatch.setattr(acceptor_module, "HELLO_SECONDS", 600)
    monkeypatch.setattr(acceptor_module, "MOST_ARRIVING", 4)
    monkeypatch.setattr(acceptor_module, "MOST_ARRIVING_OF_ONE", 2)
    greedy, polite, third = "203.0.113.9", "203.0.113.10", "203.0.113.11"
    come = [greedy, greedy, greedy, polite, polite, third, "127.0.0.1"]
    monkeypatch.setattr(acceptor_module, "_address_of", lambda _connection: come.pop(0))
    held = []
    for _ in range(6):
        held.append(await asyncio.open_connection("127.0.0.1", door.port))
        await asyncio.sleep(0.02)
    for turned_away in (2, 5):
        assert await asyncio.wait_for(held[turned_away][0].read(), 60) == b""
    assert sorted(door.acceptor._arriving.values()) == [polite, polite, greedy, greedy]
    assert (await door.say(GET, tls=True)).startswith(b"HTTP/1.1 200")
    for _, writer in held:
        writer.close()


async def test_connections_are_bounded(http_door, monkeypatch):
    monkeypatch.setattr(acceptor_module, "MOST_CONNECTIONS", 3)
    held = [await asyncio.open_connection("127.0.0.1", http_door.port) for _ in range(3)]
    for reader, writer in held:
        writer.write(GET.replace(b"Connection: close\r\n", b""))
        await reader.readuntil(b"hello by http")
    assert await http_door.say(GET) == b""
    held.pop()[1].close()
    await eventually(lambda: len(http_door.server.connections) == 2)
    assert (await http_door.say(GET)).endswith(b"hello by http")
    for _, writer in held:
        writer.close()


async def test_a_proxy_on_this_machine_is_not_counted_as_one_address_of_another(tmp_path, monkeypatch):
    monkeypatch.setattr(acceptor_module, "MOST_OF_ONE", 1)
    try:
        listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError) as error:
        pytest.skip(f"this machine has no sockets for both kinds of address: {error}")
    settings = Settings(host="::", ssl=False, data_dir=tmp_path)
    server = web.Server(hello)
    with listener:
        acceptor = Acceptor(listener, server, None, Hosts(settings))
        acceptor.open()
        held = [await asyncio.open_connection("127.0.0.1", listener.getsockname()[1]) for _ in range(3)]
        for reader, writer in held:
            writer.write(GET.replace(b"Connection: close\r\n", b""))
            await asyncio.wait_for(reader.readuntil(b"hello by http"), 60)
            writer.close()
        await acceptor.close()
        await server.shutdown(0.1)
        await acceptor.break_off()


async def test_after_closing_no_connection_is_accepted_and_open_ones_stay(http_door):
    reader, writer = await asyncio.open_connection("127.0.0.1", http_door.port)
    writer.write(GET.replace(b"Connection: close\r\n", b""))
    await reader.readuntil(b"hello by http")
    await http_door.acceptor.close()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", http_door.port)
    writer.write(GET)
    assert b"hello by http" in await asyncio.wait_for(reader.read(), 60)
    writer.close()
