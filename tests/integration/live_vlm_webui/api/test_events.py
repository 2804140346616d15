from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import WSMsgType

from live_vlm_webui.api.events import MESSAGE_BYTES
from live_vlm_webui.http.body import JSON_BYTES


async def test_the_first_event_is_the_whole_state_of_a_new_session(api):
    async with api.watch() as events:
        state = await events.next()
    assert (state["type"], state["camera"], state["answers"]) == ("session", None, [])


async def test_nothing_is_told_while_nothing_changes(serve):
    api = await serve(monitor_interval=60)
    async with api.watch() as events:
        await events.next()
        while True:
            try:
                event = await events.next(seconds=1)
            except asyncio.TimeoutError:
                break
            assert event["type"] == "system"  # the first sample
        await events.socket.send_json({"type": "settings", "max_tokens": 256})  # as it is already
        with pytest.raises(asyncio.TimeoutError):
            while True:
                assert (await events.next(seconds=0.5))["type"] == "system"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("", "The JSON is invalid"),
        ("hello", "The JSON is invalid"),
        ("[]", "The JSON is an array, not an object"),
        ("{}", "Unknown message type null"),
        ('{"type": 3}', "Unknown message type a number"),
        ('{"type": "setings"}', "Unknown message type 'setings'"),
        ('{"type": "settings", "prompt": 3}', "prompt: 3 is not a string"),
        ('{"type": "settings", "api_base": "http://169.254.169.254/"}', "169.254.169.254 is a cloud metadata service"),
        ('{"type": "settings", "type": "settings"}', "The name 'type' occurs twice"),
        ('{"type": "settings", "prompt": "\\ud800"}', "The JSON is not valid UTF-8 text"),
        (json.dumps({"type": "settings", "prompt": "x" * JSON_BYTES}), "The message is too large"),
        ("[" * 20_000, "The JSON is nested too deeply"),
    ],
)
async def test_a_bad_message_is_answered_and_the_connection_goes_on(api, sent, said):
    async with api.watch() as events:
        await events.next()
        await events.socket.send_str(sent)
        error = (await events.until("error"))["error"]
        assert error["message"].startswith(said)
        assert error["remedy"]
        await events.socket.send_json({"type": "settings", "prompt": "Still there?"})
        assert (await events.until("settings"))["settings"]["prompt"] == "Still there?"


async def test_bytes_that_are_no_picture_are_answered_once_however_often_they_come(api):
    async with api.watch() as events:
        await events.next()
        for _ in range(5):
            await events.socket.send_bytes(b"no picture")
        await events.socket.send_json({"type": "settings", "prompt": "Now?"})
        told = await events.all_until("settings")
    assert [event["type"] for event in told].count("error") == 1


async def test_a_message_beyond_all_limits_ends_this_connection_and_no_other(api):
    async with api.watch() as events:
        session = (await events.next())["id"]
        async with api.watch(session) as other:
            await other.next()
            with pytest.raises((EOFError, OSError)):
                await events.socket.send_bytes(b"\xff" * (MESSAGE_BYTES + 1))
                while True:
                    await events.next()
            await other.socket.send_json({"type": "settings", "prompt": "Still there?"})
            await other.until("settings")


async def test_a_text_that_is_not_utf_8_ends_this_connection_and_no_other(api):
    async with api.watch() as events:
        session = (await events.next())["id"]
        async with api.watch(session) as other:
            await other.next()
            await events.socket.send_frame(b"\xff\xfe", WSMsgType.TEXT)
            with pytest.raises(EOFError):
                while True:
                    await events.next()
            await other.socket.send_json({"type": "settings", "prompt": "Still there?"})
            await other.until("settings")


async def test_a_session_that_is_not_there_is_told_on_the_socket(api):
    async with api.watch("nosuchsession") as events:
        error = (await events.next())["error"]
        assert error["message"].startswith("The session does not exist")
        with pytest.raises(EOFError) as ended:
            await events.next()
    assert ended.value.args == (4404, error["message"])


async def test_an_ordinary_request_is_told_that_this_is_a_websocket(api):
    status, said = await api.ask("GET", "/ws")
    assert (status, said["status"]) == (400, 400)
    assert said["error"]["message"] == "/ws accepts only WebSocket connections"
