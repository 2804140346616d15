"""What the door turns away, as a browser or program on loopback sees it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from live_vlm_webui.api.login import ROUTES
from live_vlm_webui.config.settings import Settings
from live_vlm_webui.http.explain import explain_errors
from live_vlm_webui.secret import Secret
from live_vlm_webui.security.login import LOGIN, Login
from live_vlm_webui.security.middlewares import HEADERS, add_security_headers, middlewares
from live_vlm_webui.security.rates import TokenBuckets

TOKEN = "planted-token-1234"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def anything(request: web.Request) -> web.StreamResponse:
    """Stands for any route behind the door: a WebSocket to who asks for one, else 200."""
    if "Upgrade" in request.headers:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.close()
        return socket
    return web.Response(text="inside")


def door(settings: Settings, requests: TokenBuckets | None = None, clock: Callable[[], float] | None = None):
    app = web.Application(middlewares=[explain_errors, *middlewares(settings, requests)])
    app[LOGIN] = Login(settings, clock) if clock else Login(settings)
    app.on_response_prepare.append(add_security_headers)
    app.add_routes(ROUTES)
    for path in ("/", "/static/{name}", "/healthz", "/ws", "/offer", "/metrics", "/api/{rest:.*}"):
        app.router.add_route("*", path, anything)
    return app


@pytest.fixture
async def enter() -> AsyncIterator[Callable[..., object]]:
    """Start servers and give clients to them; the clients keep cookies as browsers do."""
    clients = []

    async def enter(settings: Settings, **how: object) -> TestClient:
        client = TestClient(TestServer(door(settings, **how)))
        clients.append(client)
        await client.start_server()
        return client

    yield enter
    for client in clients:
        await client.close()


@pytest.fixture
async def open_door(enter, tmp_path) -> TestClient:
    """On loopback: nobody needs to sign in."""
    return await enter(Settings(data_dir=tmp_path))


@pytest.fixture
async def closed_door(enter, tmp_path) -> TestClient:
    """With a token."""
    return await enter(Settings(token=Secret(TOKEN), data_dir=tmp_path))


def own(client: TestClient) -> str:
    return f"http://{client.host}:{client.port}"


# Who must sign in


@pytest.mark.parametrize("path", ["/api/sessions", "/ws", "/offer", "/metrics", "/api/openapi.json", "/nowhere"])
async def test_on_loopback_everything_is_open(open_door, path):
    assert (await open_door.get(path)).status in {200, 404}


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/healthz", "/api/login"])
async def test_without_signing_in_the_page_and_the_health_are_open(closed_door, path):
    assert (await closed_door.get(path)).status == 200


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "PUT"])
@pytest.mark.parametrize(
    "path",
    [
        "/ws",
        "/offer",
        "/metrics",
        "/api/sessions",
        "/api/login/x",
        "/api/openapi.json",
        "/nowhere",
        "/static",
        "/%2e/static/../api/x",
    ],
)
async def test_without_signing_in_everything_else_is_401_and_says_what_to_do(closed_door, method, path):
    answer = await closed_door.request(method, path, headers={"Accept": "application/json"})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="live-vlm-webui"'
    error = (await answer.json())["error"]
    assert error["message"] == "This server requires signing in"
    assert "Authorization: Bearer" in error["remedy"]


@pytest.mark.parametrize(
    "target",
    [
        "/static/../api/x",
        "/static/..%2Fapi/x",
        "/static/%2e%2e/api/x",
        "/./api/x",
        "//api/x",
        "/api/login/../x",
        "/healthz/../api/x",
        "/healthz;/api/x",
        "/%61pi/x",
        "http://localhost/api/x",
        "http://localhost/static/../api/x",
        "*",
    ],
)
async def test_no_way_of_writing_a_path_leads_around_the_login(closed_door, target):
    reader, writer = await asyncio.open_connection("127.0.0.1", closed_door.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    assert answer.split()[1] in {b"400", b"401", b"404"}
    assert b"inside" not in answer


async def test_a_websocket_needs_signing_in_too(closed_door):
    answer = await closed_door.get("/ws", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert answer.status == 401


@pytest.mark.parametrize(
    "settings", [{"host": "0.0.0.0"}, {"allow_hosts": ("cam.example",)}], ids=["all addresses", "behind a proxy"]
)
async def test_where_others_come_a_token_is_made_and_needed(enter, tmp_path, settings):
    client = await enter(Settings(data_dir=tmp_path, **settings))
    assert (await client.get("/api/x")).status == 401
    token = client.app[LOGIN].token.reveal()
    assert (tmp_path / "token").read_text().strip() == token
    assert (await client.get("/api/x", headers={"Authorization": f"Bearer {token}"})).status == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto"]
)
async def test_what_a_proxy_passes_on_needs_signing_in_even_on_loopback(open_door, tmp_path, header):
    assert (await open_door.get("/api/x", headers={header: "203.0.113.9"})).status == 401
    token = open_door.app[LOGIN].token.reveal()
    passed_on = {header: "203.0.113.9", "Authorization": f"Bearer {token}"}
    assert (await open_door.get("/api/x", headers=passed_on)).status == 200


async def test_where_the_token_for_a_proxy_is_is_logged_once(open_door, tmp_path, caplog):
    for _ in range(3):
        assert (await open_door.get("/api/x", headers={"Via": "1.1 proxy"})).status == 401
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1
    assert str(tmp_path / "token") in told[0]
    assert (tmp_path / "token").read_text().strip() not in told[0]


# Signing in


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_program_signs_in_by_a_header(closed_door, scheme):
    assert (await closed_door.get("/api/x", headers={"Authorization": f"{scheme} {TOKEN}"})).status == 200


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Bearer wrong", "The token is wrong"),
        (f"Bearer {TOKEN}x", "The token is wrong"),
        (f"Bearer {TOKEN[:-1]}", "The token is wrong"),
        (f"Bearer {TOKEN.upper()}", "The token is wrong"),
        ("Bearer", "This server requires signing in"),
        ("Bearer ", "This server requires signing in"),
        (TOKEN, "This server requires signing in"),
        (f"Basic {TOKEN}", "This server requires signing in"),
    ],
)
async def test_a_wrong_header_is_401(closed_door, header, message):
    answer = await closed_door.get("/api/x", headers={"Authorization": header})
    assert answer.status == 401
    assert (await answer.json())["error"]["message"] == message


async def test_a_browser_gives_the_token_once_and_then_has_a_cookie(closed_door):
    assert await (await closed_door.get("/api/login")).json() == {"required": True, "signed_in": False}
    answer = await closed_door.post("/api/login", json={"token": TOKEN})
    assert await answer.json() == {"required": True, "signed_in": True}
    assert (await closed_door.get("/api/x")).status == 200
    assert await (await closed_door.get("/api/login")).json() == {"required": True, "signed_in": True}


async def test_the_cookie_is_random_hidden_from_scripts_and_stays_on_this_site(closed_door):
    values = set()
    for _ in range(3):
        answer = await closed_door.post("/api/login", json={"token": TOKEN})
        pair, *attributes = answer.headers["Set-Cookie"].split("; ")
        name, _, value = pair.partition("=")
        values.add(value)
        assert name == f"live-vlm-webui-{closed_door.port}"
        assert set(attributes) == {"HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Strict"}
        assert TOKEN not in value
    assert len(values) == 3
    assert all(len(value) == 32 for value in values)


async def test_behind_a_proxy_with_https_the_cookie_is_sent_by_https_alone(closed_door):
    answer = await closed_door.post("/api/login", json={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"})
    (cookie,) = answer.cookies.values()
    assert cookie.key == f"__Host-live-vlm-webui-{closed_door.port}"
    assert cookie["secure"]
    passed_on = {"Cookie": f"{cookie.key}={cookie.value}"}
    assert (await closed_door.get("/api/x", headers=passed_on)).status == 200


async def test_a_one_time_code_signs_one_browser_in(closed_door):
    code = closed_door.app[LOGIN].make_code()
    assert (await closed_door.post("/api/login", json={"code": code})).status == 200
    assert (await closed_door.get("/api/x")).status == 200
    again = await closed_door.post("/api/login", json={"code": code})
    assert again.status == 401
    assert "used already" in (await again.json())["error"]["message"]


async def test_a_code_is_no_token_and_the_token_no_code(closed_door):
    code = closed_door.app[LOGIN].make_code()
    assert (await closed_door.post("/api/login", json={"token": code})).status == 401
    assert (await closed_door.post("/api/login", json={"code": TOKEN})).status == 401
    assert (await closed_door.get("/api/x", headers={"Authorization": f"Bearer {code}"})).status == 401


async def test_codes_and_cookies_expire(enter, tmp_path):
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    clock = Clock()
    client = await enter(Settings(token=Secret(TOKEN), data_dir=tmp_path), clock=clock)
    code = client.app[LOGIN].make_code()
    await client.post("/api/login", json={"token": TOKEN})
    clock.now = 601
    assert (await client.get("/api/x")).status == 200
    assert (await client.post("/api/login", json={"code": code})).status == 401
    clock.now += 31 * 24 * 3600
    assert (await client.get("/api/x")).status == 401


async def test_signing_out_ends_the_session_on_the_server(closed_door):
    await closed_door.post("/api/login", json={"token": TOKEN})
    (cookie,) = closed_door.session.cookie_jar
    answer = await closed_door.delete("/api/login")
    assert await answer.json() == {"required": True, "signed_in": False}
    assert list(closed_door.session.cookie_jar) == []
    kept = {"Cookie": f"{cookie.key}={cookie.value}"}
    assert (await closed_door.get("/api/x", headers=kept)).status == 401


async def test_without_required_sign_in_signing_in_changes_nothing(open_door):
    expected = {"required": False, "signed_in": True}
    assert await (await open_door.get("/api/login")).json() == expected
    answer = await open_door.post("/api/login", json={"token": "whatever"})
    assert await answer.json() == expected
    assert not answer.cookies


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"token": 1}',
        b'{"token": ""}',
        b'{"token": null}',
        b'{"token": "a", "code": "b"}',
        b'{"password": "a"}',
        b'{"token": "\\ud800"}',
        b"\xff",
        b'{"token": "' + b"x" * 5000 + b'"}',
    ],
)
async def test_a_body_that_is_no_credential_is_400(closed_door, body):
    answer = await closed_door.post("/api/login", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    assert (await answer.json())["error"]["remedy"]


async def test_a_form_which_other_sites_could_send_is_not_taken(closed_door):
    assert (await closed_door.post("/api/login", data={"token": TOKEN})).status == 415


async def test_a_huge_body_is_413(closed_door):
    assert (await closed_door.post("/api/login", json={"token": "x" * 100_000})).status == 413


# Letting another browser in


async def test_a_signed_in_browser_gets_codes_for_others_and_the_newest_alone_is_valid(closed_door, caplog):
    caplog.set_level(logging.DEBUG)
    assert (await closed_door.post("/api/login/code", json={"path": "/"})).status == 401
    await closed_door.post("/api/login", json={"token": TOKEN})
    links = []
    for path in ("/", "/vlm/"):
        answer = await closed_door.post("/api/login/code", json={"path": path})
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        links.append(await answer.json())
    assert [one["url"].split("#")[0] for one in links] == [f"{own(closed_door)}/", f"{own(closed_door)}/vlm/"]
    assert {one["seconds"] for one in links} == {600}
    old, new = (one["url"].split("#code=")[1] for one in links)
    others = TestClient(closed_door.server)
    assert (await others.post("/api/login", json={"code": old})).status == 401
    assert (await others.post("/api/login", json={"code": new})).status == 200
    assert (await others.get("/api/x")).status == 200
    assert (await others.post("/api/login", json={"code": new})).status == 401
    await others.close()
    assert old not in caplog.text
    assert new not in caplog.text


async def test_a_new_code_expires_and_programs_with_the_token_get_one_too(enter, tmp_path):
    now = [0.0]
    client = await enter(Settings(token=Secret(TOKEN), data_dir=tmp_path), clock=lambda: now[0])
    answer = await client.post("/api/login/code", json={"path": "/"}, headers=BEARER)
    code = (await answer.json())["url"].split("#code=")[1]
    now[0] = 601.0
    assert (await client.post("/api/login", json={"code": code})).status == 401


@pytest.mark.parametrize(
    "path", ["", "vlm/", "/vlm", "//elsewhere.example/", "/a b/", "/#code=", "/?x=/", "/" + "x/" * 300]
)
async def test_a_code_is_made_for_the_path_of_a_page_alone(closed_door, path):
    answer = await closed_door.post("/api/login/code", json={"path": path}, headers=BEARER)
    assert answer.status == 400
    assert (await answer.json())["error"]["remedy"]


async def test_another_site_gets_no_code(closed_door):
    await closed_door.post("/api/login", json={"token": TOKEN})
    answer = await closed_door.post("/api/login/code", json={"path": "/"}, headers={"Origin": "https://evil.example"})
    assert answer.status == 403


async def test_where_no_one_must_sign_in_there_are_no_codes(open_door):
    answer = await open_door.post("/api/login/code", json={"path": "/"})
    assert answer.status == 409
    assert "requires no signing in" in (await answer.json())["error"]["message"]


# Guessing


async def guess(client: TestClient, **body: str) -> tuple[int, str | None]:
    answer = await client.post("/api/login", json=body or {"token": "wrong-token"})
    return answer.status, answer.headers.get("Retry-After")


async def test_five_wrong_tokens_and_an_address_waits(closed_door):
    assert [await guess(closed_door) for _ in range(7)] == [(401, None)] * 5 + [(429, "12")] * 2


async def test_while_it_waits_not_even_the_right_token_is_looked_at(closed_door):
    code = closed_door.app[LOGIN].make_code()
    for _ in range(5):
        assert (await closed_door.get("/api/x", headers={"Authorization": "Bearer wrong"})).status == 401
    assert (await closed_door.get("/api/x", headers=BEARER)).status == 429
    assert (await guess(closed_door, token=TOKEN))[0] == 429
    assert (await guess(closed_door, code=code))[0] == 429
    assert closed_door.app[LOGIN]._codes.spend(code)


async def test_who_is_signed_in_already_is_not_kept_out_by_others_guesses(closed_door):
    await closed_door.post("/api/login", json={"token": TOKEN})
    for _ in range(6):
        await guess(closed_door)
    assert (await closed_door.get("/api/x")).status == 200


async def test_stale_cookies_and_missing_tokens_are_no_guesses(closed_door):
    for _ in range(20):
        stale = {"Cookie": f"live-vlm-webui-{closed_door.port}=from-before-the-restart"}
        assert (await closed_door.get("/api/x", headers=stale)).status == 401
    assert (await closed_door.get("/api/x", headers=BEARER)).status == 200


async def test_behind_a_proxy_each_address_is_counted_and_claims_of_clients_are_not(enter, tmp_path):
    client = await enter(Settings(token=Secret(TOKEN), allow_hosts=("cam.example",), data_dir=tmp_path))

    async def guess_from(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return (await client.post("/api/login", json={"token": "wrong-token"}, headers=headers)).status

    assert [await guess_from(f"198.51.100.{number}, 203.0.113.9") for number in range(6)] == [401] * 5 + [429]
    assert await guess_from("203.0.113.10") == 401


async def test_many_addresses_together_cannot_guess_faster(enter, tmp_path):
    client = await enter(Settings(token=Secret(TOKEN), allow_hosts=("cam.example",), data_dir=tmp_path))
    statuses = []
    for number in range(70):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        statuses.append((await client.post("/api/login", json={"token": "wrong"}, headers=headers)).status)
    assert statuses[:60] == [401] * 60
    assert 429 in statuses[60:62]


async def test_guesses_are_logged_without_what_was_guessed(closed_door, caplog):
    await guess(closed_door, token="planted-guess")
    await guess(closed_door, code="planted-guess")
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "wrong token from 127.0.0.1",
        "wrong code from 127.0.0.1",
    ]
    assert "planted" not in caplog.text


# Other web sites


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1:9"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_no_other_site_can_change_anything(open_door, origin, method):
    answer = await open_door.request(method, "/api/sessions", data=b"{}", headers={"Origin": origin})
    assert answer.status == 403
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_no_other_site_can_open_a_websocket(open_door, origin):
    upgrade = {"Origin": origin, "Upgrade": "websocket", "Connection": "Upgrade"}
    assert (await open_door.get("/ws", headers=upgrade)).status == 403


async def test_the_page_itself_can_change_things_and_open_a_websocket(open_door):
    assert (await open_door.post("/api/sessions", headers={"Origin": own(open_door)})).status == 200
    async with open_door.ws_connect("/ws", origin=own(open_door)) as socket:
        assert not socket.closed


async def test_programs_send_no_origin_and_need_none(open_door):
    assert (await open_door.post("/api/sessions")).status == 200
    async with open_door.ws_connect("/ws") as socket:
        assert not socket.closed


@pytest.mark.parametrize("site", ["cross-site", "same-site", "something new"])
@pytest.mark.parametrize(
    "fetch", [{"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Mode": "cors"}, {}], ids=str
)
async def test_what_a_browser_says_comes_from_another_site_is_turned_away(open_door, site, fetch):
    assert (await open_door.get("/api/x/preview", headers={"Sec-Fetch-Site": site, **fetch})).status == 403


async def test_a_link_on_another_site_leads_to_the_page(open_door):
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert (await open_door.get("/", headers=link)).status == 200
    framed = {**link, "Sec-Fetch-Dest": "iframe"}
    assert (await open_door.get("/", headers=framed)).status == 403
    assert (await open_door.post("/", headers=link)).status == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_the_pages_own_requests_and_typed_addresses_pass(open_door, site):
    assert (await open_door.get("/api/x", headers={"Sec-Fetch-Site": site})).status == 200


async def test_behind_a_proxy_only_its_own_page_passes(enter, tmp_path):
    client = await enter(Settings(token=Secret(TOKEN), allow_hosts=("cam.example",), data_dir=tmp_path))
    assert (await client.post("/api/x", headers={**BEARER, "Origin": "https://cam.example"})).status == 200
    refused = await client.post("/api/x", headers={**BEARER, "Origin": "https://evil.example"})
    assert refused.status == 403
    assert "--allow-host" in (await refused.json())["error"]["remedy"]


async def test_a_foreign_host_name_is_403_and_says_how_a_proxy_is_named(open_door):
    answer = await open_door.get("/", headers={"Host": "evil.example:8090"})
    assert answer.status == 403
    assert "--allow-host" in await answer.text()


# Secrets in URLs


@pytest.mark.parametrize("name", ["token", "TOKEN", "api_key", "api-key", "apiKey", "access_token", "key", "code"])
@pytest.mark.parametrize("path", ["/", "/api/login", "/ws", "/healthz", "/nowhere"])
async def test_a_secret_in_the_query_is_400_and_not_repeated(closed_door, path, name):
    answer = await closed_door.get(f"{path}?a=b&{name}=planted", headers={"Accept": "application/json"})
    assert answer.status == 400
    assert "The URL contains" in (await answer.json())["error"]["message"]
    assert "planted" not in await answer.text()


async def test_the_right_token_in_the_query_does_not_sign_in(closed_door):
    assert (await closed_door.post(f"/api/login?token={TOKEN}", json={"token": TOKEN})).status == 400


async def test_other_queries_pass(open_door):
    assert (await open_door.get("/ws?session=abc&format=csv")).status == 200


# Floods


async def test_too_many_requests_are_429_with_when_to_come_back(enter, tmp_path):
    client = await enter(Settings(data_dir=tmp_path), requests=TokenBuckets(rate=0.1, burst=3))
    statuses = [(await client.get("/healthz")).status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    answer = await client.get("/healthz")
    assert 1 <= int(answer.headers["Retry-After"]) <= 10


async def test_an_ordinary_page_is_far_from_the_limit(open_door):
    assert {(await open_door.get("/healthz")).status for _ in range(300)} == {200}


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/api/x", 401), ("/?token=x", 400), ("/nowhere", 401)])
async def test_every_answer_carries_the_headers(closed_door, path, status):
    answer = await closed_door.get(path)
    assert answer.status == status
    own = re.sub(" 'sha256-[^']+'", "", answer.headers["Content-Security-Policy"])  # the page's has its style sheet
    assert {name: answer.headers.get(name) for name in HEADERS} | {"Content-Security-Policy": own} == HEADERS
    assert "Strict-Transport-Security" not in answer.headers
