from __future__ import annotations

import pytest
from aiohttp import WSCloseCode

from live_vlm_webui.sessions import registry

NOWHERE = "/api/sessions/nosuchsession"


async def test_a_session_is_made_shown_changed_and_ended(api):
    status, made = await api.ask("POST", "/api/sessions", json={"prompt": "How many birds?"})
    path = f"/api/sessions/{made['id']}"
    assert (status, made["settings"]["prompt"], made["camera"], made["answers"]) == (201, "How many birds?", None, [])
    status, changed = await api.ask("PATCH", path, json={"max_tokens": 99, "sampling": {"mode": "seconds", "every": 2}})
    assert (status, changed["settings"]["max_tokens"], changed["settings"]["prompt"]) == (200, 99, "How many birds?")
    assert (await api.ask("GET", path))[1]["settings"] == changed["settings"]
    assert (await api.ask("DELETE", path))[0] == 204
    assert (await api.ask("GET", path))[0] == 404


async def test_a_session_needs_no_settings_and_says_where_it_is(api):
    answer = await api.answer("POST", "/api/sessions")
    assert answer.headers["Location"] == f"/api/sessions/{answer.json['id']}"


async def test_settings_that_cannot_be_used_make_no_session(api):
    status, said = await api.ask("POST", "/api/sessions", json={"max_tokens": "many", "promt": "x"})
    assert status == 400
    assert "max_tokens" in said["error"]["message"]
    assert "did you mean prompt?" in said["error"]["message"]
    assert "live_vlm_sessions 0.0" in (await api.ask("GET", "/metrics"))[1].decode()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", NOWHERE),
        ("PATCH", NOWHERE),
        ("DELETE", NOWHERE),
        ("PUT", f"{NOWHERE}/camera"),
        ("DELETE", f"{NOWHERE}/camera"),
        ("POST", f"{NOWHERE}/picture"),
        ("GET", f"{NOWHERE}/preview"),
        ("GET", f"{NOWHERE}/answers"),
        ("GET", f"{NOWHERE}/answers/1/frame.jpg"),
        ("GET", f"{NOWHERE}/answers/1/exchange"),
    ],
)
async def test_a_session_that_is_not_there_is_a_404_that_says_so(api, method, path):
    status, said = await api.ask(method, path)
    assert status == 404
    assert said["error"]["message"].startswith("The session does not exist")


async def test_sessions_are_limited_and_the_refusal_says_what_to_do(api):
    for _ in range(registry.LIMIT):
        assert (await api.ask("POST", "/api/sessions"))[0] == 201
    status, said = await api.ask("POST", "/api/sessions")
    assert (status, said["error"]["message"]) == (429, f"There are {registry.LIMIT} sessions, which is the limit")


async def test_the_key_of_an_api_is_taken_and_never_shown(api):
    settings = {"api_base": "http://127.0.0.1:9/v1", "api_key": "sk-very-secret"}
    _, made = await api.ask("POST", "/api/sessions", json=settings)
    assert made["settings"]["api_base"] == "http://127.0.0.1:9/v1"
    for text in (str(made), str(await api.ask("GET", f"/api/sessions/{made['id']}"))):
        assert "secret" not in text


async def test_settings_belong_to_one_session(api):
    _, one = await api.ask("POST", "/api/sessions")
    _, other = await api.ask("POST", "/api/sessions")
    await api.ask("PATCH", f"/api/sessions/{one['id']}", json={"prompt": "Only mine."})
    assert (await api.ask("GET", f"/api/sessions/{other['id']}"))[1]["settings"] == other["settings"]


async def test_settings_of_the_command_line_are_where_sessions_begin(serve):
    api = await serve(prompt="What is on the desk?", system_prompt="Be brief.", temperature=0.2, process_every=7)
    _, made = await api.ask("POST", "/api/sessions")
    assert made["settings"]["prompt"] == "What is on the desk?"
    assert made["settings"]["system_prompt"] == "Be brief."
    assert made["settings"]["temperature"] == 0.2
    assert made["settings"]["sampling"] == {"mode": "frames", "every": 7}


async def test_a_browser_of_an_ended_session_is_told_and_disconnected(api):
    _, made = await api.ask("POST", "/api/sessions")
    async with api.watch(made["id"]) as events:
        assert (await events.next())["id"] == made["id"]
        await api.ask("DELETE", f"/api/sessions/{made['id']}")
        assert (await events.until("closing"))["reason"] == "The session was ended."
        with pytest.raises(EOFError) as ended:
            await events.next()
        assert ended.value.args == (WSCloseCode.GOING_AWAY, "The session was ended.")
