"""Behind a real nginx with HTTPS, set up as docs/security.md has it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timezone

import proxies
import pytest
import transports
from aiohttp import ClientSession, CookieJar, TCPConnector, WSServerHandshakeError
from aiohttp.abc import AbstractResolver

from live_vlm_webui.tls.certificate import Wanted, make

pytestmark = [
    pytest.mark.skipif(proxies.NGINX is None, reason="no nginx here (apt-get install nginx-light)"),
    pytest.mark.skipif(
        not proxies.DOCUMENTATION.exists(), reason="no documentation here, which says how nginx is set up"
    ),
]


class ThisMachine(AbstractResolver):
    """Every name is this machine's."""

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": port,
                "family": family or socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
def free_port() -> int:
    return proxies.free_port()


@pytest.fixture
def server(start_server, free_port, tmp_path):
    (tmp_path / "secret").write_text("planted-token")
    name = f"cam.example:{free_port}"
    return start_server("--port", "0", "--no-ssl", "--allow-host", name, "--token", f"@{tmp_path}/secret")


@pytest.fixture
def proxy(server, free_port, tmp_path) -> Iterator[str]:
    """The address of nginx before the server."""
    directory = tmp_path / "nginx"
    directory.mkdir()
    pem, key = make(Wanted(("cam.example",)), datetime.now(timezone.utc))
    (directory / "cert.pem").write_bytes(pem)
    (directory / "key.pem").write_bytes(key)
    with proxies.nginx(directory, free_port, proxies.at_the_root(server.port), ssl=True):
        yield f"https://cam.example:{free_port}"


@pytest.fixture
async def browser(proxy, tmp_path) -> AsyncIterator[ClientSession]:
    """What opens the proxy's address, from the page that it serves."""
    context = ssl.create_default_context(cafile=tmp_path / "nginx" / "cert.pem")
    connector = TCPConnector(ssl=context, resolver=ThisMachine())
    async with ClientSession(proxy, connector=connector, cookie_jar=CookieJar(), headers={"Origin": proxy}) as session:
        yield session
    await transports.all_closed()


async def test_the_page_is_there_and_everything_else_needs_signing_in(browser):
    async with browser.get("/") as page:
        assert page.status == 200
    async with browser.get("/api/system") as refused:
        assert refused.status == 401


async def test_a_browser_signs_in_and_has_its_events(browser):
    async with browser.post("/api/login", json={"token": "planted-token"}) as answer:
        assert answer.status == 200
        (cookie,) = answer.cookies.values()
    assert cookie.key.startswith("__Host-")
    assert cookie["secure"]
    async with browser.get("/api/system") as inside:
        assert inside.status == 200
    async with browser.ws_connect("/ws") as events:
        assert (await asyncio.wait_for(events.receive_json(), 60))["type"] == "session"


async def test_another_sites_page_changes_nothing_and_hears_nothing(browser):
    async with browser.post("/api/login", json={"token": "planted-token"}):
        pass
    foreign = {"Origin": "https://evil.example"}
    async with browser.post("/api/sessions", json={}, headers=foreign) as refused:
        assert refused.status == 403
    with pytest.raises(WSServerHandshakeError, match="403"):
        await browser.ws_connect("/ws", origin="https://evil.example")


async def test_a_name_that_the_server_was_not_told_is_refused(browser, proxy):
    async with browser.get("/", headers={"Host": "other.example"}) as refused:
        assert refused.status == 403
