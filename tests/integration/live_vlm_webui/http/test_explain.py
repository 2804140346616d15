from __future__ import annotations

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from live_vlm_webui.errors import CameraError, InputError, LimitError, LoginError, ModelError, NotFoundError
from live_vlm_webui.http.explain import explain_errors

ERRORS = {
    "input": InputError("It is wrong", "Put it right."),
    "login": LoginError("Not signed in", "Send the token."),
    "missing": NotFoundError("It is not there", "Look elsewhere."),
    "limit": LimitError("Too many", "Wait.", retry_after=2.5),
    "model": ModelError("unreachable", "It is off", "Start it."),
    "slow": ModelError("timeout", "It is slow", "Wait longer."),
    "camera": CameraError("no-video", "It shows nothing", "Take another."),
    "bug": RuntimeError("a secret detail"),
    "elsewhere": web.HTTPSeeOther("/login"),
}


@pytest.fixture
async def client():
    async def fail(request: web.Request) -> web.Response:
        raise ERRORS[request.match_info["error"]]

    app = web.Application(middlewares=[explain_errors])
    app.router.add_get("/api/{error}", fail)
    app.router.add_get("/page/{error}", fail)
    app.router.add_get("/api/sessions/{session}/{error}", fail)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ("input", 400, None),
        ("login", 401, None),
        ("missing", 404, None),
        ("limit", 429, None),
        ("model", 502, "unreachable"),
        ("slow", 504, "timeout"),
        ("camera", 502, "no-video"),
    ],
)
async def test_an_error_is_told_with_its_status_message_remedy_and_code(client, error, status, code):
    answer = await client.get(f"/api/{error}")
    told = {"message": ERRORS[error].message, "remedy": ERRORS[error].remedy, **({"code": code} if code else {})}
    assert (answer.status, await answer.json()) == (status, {"status": status, "error": told})
    assert answer.headers["Cache-Control"] == "no-store"


async def test_headers_that_belong_to_an_error_are_on_its_answer(client):
    assert (await client.get("/api/limit")).headers["Retry-After"] == "3"
    assert (await client.get("/api/login")).headers["WWW-Authenticate"].startswith("Bearer ")


async def test_people_are_told_in_plain_text_unless_they_accept_json(client):
    assert await (await client.get("/page/input")).text() == "It is wrong\n-> Put it right.\n"
    accepting = await client.get("/page/input", headers={"Accept": "text/html, application/json"})
    assert (await accepting.json())["error"]["remedy"] == "Put it right."


async def test_a_bug_of_ours_is_logged_and_its_details_are_not_told(client, caplog):
    answer = await client.get("/api/bug")
    assert answer.status == 500
    assert "a secret detail" not in await answer.text()
    assert "a secret detail" in caplog.text


async def test_what_is_no_error_passes(client):
    answer = await client.get("/api/elsewhere", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/login")


async def test_a_path_that_is_no_text_is_told_all_the_same(client):
    async with ClientSession() as http:
        for path in ("%ED%A0%80", "api/x/%ED%A0%80", "%00%ff"):
            async with http.get(URL(f"{client.make_url('/')}{path}", encoded=True)) as answer:
                assert answer.status in {400, 404}
                assert await answer.read()


async def test_an_answer_to_a_body_that_was_not_read_ends_the_connection(client):
    answer = await client.post("/api/input", data=b"x" * 1_000_000)
    assert answer.status == 405
    assert answer.headers["Connection"] == "close"


async def test_a_bug_is_logged_without_the_sessions_whole_id(client, caplog):
    assert (await client.get("/api/sessions/abcdefghijkl/bug")).status == 500
    assert "GET /api/sessions/abcdef.../bug failed" in caplog.text
    assert "abcdefghijkl" not in caplog.text
