"""Signing in to a server that others can reach, from the line that it prints to the cookie, over HTTPS."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import select
import stat
import subprocess
from collections.abc import AsyncIterator, Callable

import pytest
import transports
from aiohttp import ClientSession, CookieJar, DummyCookieJar, TCPConnector, WSMsgType, WSServerHandshakeError

END = "Browsers warn once"
SECONDS = 60
QR_LINES = 15
"""Fewer than any code with an address has."""


@pytest.fixture
async def browser() -> AsyncIterator[Callable[..., ClientSession]]:
    """Open what keeps cookies as a browser does and trusts a server's certificate."""
    sessions = []

    def opened(server) -> ClientSession:
        session = ClientSession(
            server.url,
            connector=TCPConnector(ssl=server.trusting()),
            cookie_jar=CookieJar(unsafe=True),  # also of addresses in digits
            headers={"Origin": server.url.rstrip("/")},
        )
        sessions.append(session)
        return session

    yield opened
    for session in sessions:
        await session.close()
    await transports.all_closed()


def rest_of(server) -> str:
    """What the server printed after the ready line, at once with it, up to the fingerprint."""
    told = ""
    while END not in told:
        line = server.process.stdout.readline()
        assert line, f"it said no more than {told!r}"
        told += line
    return told


@pytest.fixture
def reachable(start_server):
    """A server on all addresses, and what it printed."""
    server = start_server("--port", "0", "--host", "0.0.0.0")
    return server, rest_of(server)


async def test_the_printed_code_signs_one_browser_in_once(reachable, browser):
    server, told = reachable
    code = re.search(r"#code=([A-Za-z0-9_-]+)\n", told)[1]
    page = browser(server)
    assert (await page.get("/api/system")).status == 401
    answer = await page.post("/api/login", json={"code": code})
    assert answer.status == 200
    (cookie,) = answer.cookies.values()
    assert cookie.key == f"__Host-live-vlm-webui-{server.port}"
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Strict")
    assert (await page.get("/api/system")).status == 200
    async with page.ws_connect("/ws") as socket:
        assert (await asyncio.wait_for(socket.receive_json(), 60))["type"] == "session"
    other = browser(server)
    assert (await other.post("/api/login", json={"code": code})).status == 401
    with pytest.raises(WSServerHandshakeError, match="401"):
        await other.ws_connect("/ws")


async def test_signing_out_closes_only_the_browsers_own_connections(reachable, browser):
    server, _ = reachable
    token = {"token": (server.data_dir / "token").read_text().strip()}
    page, other = browser(server), browser(server)
    for one in (page, other):
        assert (await one.post("/api/login", json=token)).status == 200
    async with page.ws_connect("/ws") as left, other.ws_connect("/ws") as stays:
        for socket in (left, stays):
            assert (await asyncio.wait_for(socket.receive_json(), SECONDS))["type"] == "session"
        answer = await page.delete("/api/login")
        assert (answer.status, (await answer.json())["signed_in"]) == (200, False)
        while (message := await asyncio.wait_for(left.receive(), SECONDS)).type is WSMsgType.TEXT:
            pass
        assert message.type in {WSMsgType.CLOSED, WSMsgType.ERROR}
        await stays.send_json({"type": "settings", "prompt": "Who is there?"})
        while (await asyncio.wait_for(stays.receive_json(), SECONDS))["type"] != "settings":
            pass


async def test_signing_out_leaves_alone_who_has_its_connection_now(reachable, browser):
    """A proxy keeps connections, and hands them to one browser after the other."""
    server, _ = reachable
    token = {"token": (server.data_dir / "token").read_text().strip()}
    headers = {"Origin": server.url.rstrip("/")}
    one_connection = TCPConnector(limit=1, ssl=server.trusting())
    async with ClientSession(
        server.url, connector=one_connection, cookie_jar=DummyCookieJar(), headers=headers
    ) as proxy:
        cookies = []
        for _ in range(2):
            async with proxy.post("/api/login", json=token) as answer:
                cookies.append({"Cookie": "; ".join(f"{one.key}={one.value}" for one in answer.cookies.values())})
        leaves, stays = cookies
        async with proxy.get("/api/system", headers=leaves) as answer:
            assert answer.status == 200
        async with proxy.ws_connect("/ws", headers=stays) as socket:
            assert (await browser(server).delete("/api/login", headers=leaves)).status == 200
            await socket.send_json({"type": "settings", "prompt": "Who is there?"})
            while (await asyncio.wait_for(socket.receive_json(), SECONDS))["type"] != "settings":
                pass


async def test_the_token_in_the_named_file_signs_browsers_and_programs_in(reachable, browser):
    server, told = reachable
    path = server.data_dir / "token"
    assert f"stored in {path}." in told
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    token = path.read_text().strip()
    assert token not in told
    page = browser(server)
    assert (await page.post("/api/login", json={"token": token})).status == 200
    assert (await page.get("/api/system")).status == 200
    with server.get("api/system", {"Authorization": f"Bearer {token}"}) as answer:
        assert answer.status == 200


def test_the_certificate_is_the_one_whose_fingerprint_is_printed(reachable):
    server, _ = reachable
    printed = server.process.stdout.readline().strip()
    shown = subprocess.run(
        ["openssl", "x509", "-in", server.data_dir / "tls" / "certificate.pem", "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed
    assert printed in shown


def test_the_token_outlives_the_server_and_the_cookie_does_not(reachable, start_server):
    server, _ = reachable
    token = (server.data_dir / "token").read_text()
    server.stop()
    start_server("--port", "0", "--host", "0.0.0.0")
    assert (server.data_dir / "token").read_text() == token


@pytest.mark.parametrize("given", ["file", "variable", "literal"])
def test_a_token_that_is_given_is_needed_on_loopback_too_and_none_is_made(start_server, tmp_path, given):
    (tmp_path / "secret").write_text("planted-token\n")
    server = {
        "file": lambda: start_server("--port", "0", "--token", f"@{tmp_path}/secret"),
        "variable": lambda: start_server("--port", "0", LIVE_VLM_TOKEN="planted-token"),
        "literal": lambda: start_server("--port", "0", "--token", "planted-token"),
    }[given]()
    with server.get("api/system", {"Authorization": "Bearer planted-token"}) as answer:
        assert answer.status == 200
    assert not (server.data_dir / "token").exists()
    said, told = server.stop()
    assert "planted" not in said + told
    assert ("other users of this machine can read it" in told) is (given == "literal")


def test_a_wrong_data_directory_is_told_before_anything_is_served(command, environment, tmp_path):
    (tmp_path / "file").write_text("")
    for arguments in (["--port", "0"], ["--port", "0", "--no-ssl", "--host", "0.0.0.0"]):
        done = subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**environment, "LIVE_VLM_DATA": str(tmp_path / "file")},
        )
        assert done.returncode == 2
        assert done.stdout == ""
        assert "cannot be written" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_terminal_shows_a_qr_code(command, environment):
    ours, theirs = pty.openpty()
    program = [*command, "--port", "0", "--host", "0.0.0.0"]
    with subprocess.Popen(
        program, stdout=theirs, stderr=subprocess.DEVNULL, env={**environment, "LANG": "C.UTF-8"}
    ) as server:
        os.close(theirs)
        told = b""
        while told.count("██\r\n".encode()) < QR_LINES and select.select([ours], [], [], SECONDS)[0]:
            told += os.read(ours, 65536)
        server.terminate()
    os.close(ours)
    assert told.count("██\r\n".encode()) >= QR_LINES
