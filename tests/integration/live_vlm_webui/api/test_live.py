"""From a real camera over the API to a model's answer, and what happens when something on that way breaks."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Callable

import av
import pytest
import simplejpeg
import video
from described import DescribedClient, Events
from openai_server import OpenAIServer
from webrtc_client import Peer, offer_to

from live_vlm_webui.sessions import worker

JPEG = {"Content-Type": "image/jpeg"}
SIZE = {"width": 320, "height": 180}


@pytest.fixture(scope="module")
def clip():
    return video.encode("h264", **SIZE, seconds=1)


@pytest.fixture
async def models() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer(text="Number {number} shows {digest} and nothing else.", total=0.1) as server:
        yield server


@pytest.fixture
async def camera(api, clip) -> AsyncIterator[Callable]:
    """Connect a browser's camera to a session."""
    peers = []

    async def connect(session: str) -> Peer:
        peers.append(peer := Peer(clip))
        await peer.connect(offer_to(api.http, api.url, session))
        return peer

    yield connect
    await asyncio.gather(*(peer.close() for peer in peers))


async def new_session(api: DescribedClient, models: OpenAIServer, **settings) -> str:
    chosen = {"api_base": models.api_base, "model": models.models[0], **settings}
    status, made = await api.ask("POST", "/api/sessions", json=chosen)
    assert status == 201, made
    return made["id"]


async def one_answer(events: Events) -> list[dict]:
    """The events of the next whole answer."""
    while True:
        started = await events.until("answer.started")
        told = [started, *await events.all_until("answer.finished", "answer.failed")]
        if told[-1]["type"] == "answer.finished" and told[-1]["id"] == started["id"]:
            return [event for event in told if event["type"].startswith("answer.")]


async def test_a_browsers_camera_is_described_by_a_model_word_by_word(api, models, camera):
    session = await new_session(api, models, prompt="Which number?")
    async with api.watch(session) as events:
        await events.next()
        await camera(session)
        told = await events.all_until("answer.finished")
    cameras = [event["camera"] for event in told if event["type"] == "camera"]
    assert cameras[0] == {"kind": "webrtc", "state": "connecting", "detail": "", "source": "", "width": 0, "height": 0}
    assert cameras[-1] == {"kind": "webrtc", "state": "live", "detail": "", "source": "", **SIZE}
    assert [event["model"]["name"] for event in told if event["type"] == "model"] == [models.models[0]]
    started, *deltas, finished = [event for event in told if event["type"].startswith("answer.")]
    assert started["prompt"] == "Which number?"
    assert len(deltas) >= 2
    assert "".join(delta["text"] for delta in deltas) == finished["text"]
    assert finished["text"].startswith("Number ")
    assert 0 < finished["numbers"]["encode"] <= finished["numbers"]["overhead"] < finished["numbers"]["total"]


async def test_the_picture_of_an_answer_is_the_one_sent_to_the_model(api, models, camera):
    session = await new_session(api, models)
    async with api.watch(session) as events:
        await camera(session)
        started, *_, finished = await one_answer(events)
        status, jpeg = await api.ask("GET", started["frame"])
    assert status == 200
    assert hashlib.sha256(jpeg).hexdigest()[:8] in finished["text"]
    with av.open(io.BytesIO(jpeg)) as opened:
        assert (opened.streams.video[0].width, opened.streams.video[0].height) == (SIZE["width"], SIZE["height"])


def of_the_session(events):
    """A session's own events, with the pieces of an answer in one, as they may come to a browser that reads late.

    The machine's readings are told to everybody on a beat of their own: one may fall between two browsers' arrivals.
    """
    whole = []
    for event in events:
        if event["type"] == "system":
            continue
        last = whole[-1] if whole else None
        if last and event["type"] == last["type"] == "answer.delta" and event["id"] == last["id"]:
            whole[-1] = {**last, "text": last["text"] + event["text"]}
        else:
            whole.append(event)
    return whole


async def test_two_browsers_of_a_session_are_told_the_same(api, models, camera):
    session = await new_session(api, models)
    async with api.watch(session) as one, api.watch(session) as other:
        await asyncio.gather(one.next(), other.next())
        await camera(session)
        told = await asyncio.gather(one.all_until("answer.finished"), other.all_until("answer.finished"))
        assert of_the_session(told[0]) == of_the_session(told[1])
        await one.socket.send_json({"type": "settings", "prompt": "What is new?"})
        changed = await asyncio.gather(one.until("settings"), other.until("settings"))
        assert changed[0] == changed[1]
        assert changed[1]["settings"]["prompt"] == "What is new?"


async def test_who_comes_later_starts_with_all_that_was_said(api, models, camera):
    session = await new_session(api, models)
    async with api.watch(session) as events:
        await camera(session)
        *_, finished = await one_answer(events)
        async with api.watch(session) as late:
            state = await late.next()
    assert state["type"] == "session"
    assert finished["text"] in [answer["text"] for answer in state["answers"]]
    assert state["camera"]["state"] == "live"


async def test_a_model_server_that_dies_is_told_once_and_asked_again_when_it_is_back(api, models, camera, monkeypatch):
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.05)
    session = await new_session(api, models)
    async with api.watch(session) as events:
        await camera(session)
        await one_answer(events)
        await models.stop()
        failed = await events.until("answer.failed")
        while failed["error"]["code"] != "unreachable":  # the question that was out may have been cut off
            failed = await events.until("answer.failed")
        assert str(models.port) in failed["error"]["message"]
        assert failed["error"]["remedy"]
        await asyncio.sleep(0.5)  # time for three more attempts, about which nobody is told
        await models.start()
        told = await events.all_until("answer.finished", seconds=15)
    assert [event for event in told if event["type"] == "answer.failed"] == []


async def test_a_changed_prompt_applies_to_the_next_frame(api, models, camera):
    session = await new_session(api, models, prompt="Before?")
    async with api.watch(session) as events:
        await camera(session)
        await one_answer(events)
        await events.socket.send_json({"type": "settings", "prompt": "After?"})
        await events.until("settings")
        told = [await events.until("answer.started") for _ in range(2)]
    assert told[-1]["prompt"] == "After?"
    assert models.asked[-1].prompt == "After?"


async def test_a_camera_that_is_taken_away_is_told_and_may_come_back(api, models, camera):
    session = await new_session(api, models)
    async with api.watch(session) as events:
        peer = await camera(session)
        await one_answer(events)
        await peer.close()
        gone = await events.until("camera", seconds=20)
        assert gone["camera"]["state"] in {"ended", "lost"}
        assert gone["camera"]["detail"]
        await camera(session)
        await events.until("answer.started", seconds=15)


async def test_a_session_without_a_camera_any_more_asks_no_more(api, models, camera):
    session = await new_session(api, models)
    async with api.watch(session) as events:
        await camera(session)
        await one_answer(events)
        assert (await api.ask("DELETE", f"/api/sessions/{session}/camera"))[0] == 204
        while (await events.until("camera"))["camera"] is not None:
            pass
        await asyncio.sleep(0.5)
        questions = models.questions
        await asyncio.sleep(0.5)
    assert models.questions == questions


async def test_the_history_is_exported_as_it_is(api, models, camera):
    session = await new_session(api, models)
    async with api.watch(session) as events:
        await camera(session)
        for _ in range(2):
            await one_answer(events)
        await api.ask("PATCH", f"/api/sessions/{session}", json={"paused": True})
        await asyncio.sleep(0.3)
        path = f"/api/sessions/{session}/answers"
        _, listed = await api.ask("GET", path)
        lines = await api.answer("GET", f"{path}?format=jsonl")
        rows = await api.answer("GET", f"{path}?format=csv")
        archive = await api.answer("GET", f"{path}?format=zip")
        status, said = await api.ask("GET", f"{path}?format=docx")
    texts = [answer["text"] for answer in listed["answers"]]
    assert len(texts) >= 2
    assert lines.body.count(b"\n") == len(texts)
    assert all(text.encode() in rows.body and text.encode() in lines.body for text in texts)
    assert archive.body.startswith(b"PK")
    assert archive.headers["Content-Disposition"] == 'attachment; filename="answers.zip"'
    assert (status, said["error"]["message"]) == (400, "'docx' is not an export format")


async def test_what_was_sent_and_came_back_can_be_read_without_keys_and_pictures(api):
    jpeg = simplejpeg.encode_jpeg(video.scene(0, 64, 48))
    async with OpenAIServer(api_key="sk-secret") as models:
        models.behave(reasoning="hm", text="A cup.", rejects="temperature")
        wanted = {"system_prompt": "Be brief.", "temperature": 0.2, "api_key": "sk-secret", "reasoning": True}
        session = await new_session(api, models, **wanted)
        path = f"/api/sessions/{session}/answers"
        async with api.watch(session) as events:
            assert (await api.ask("POST", f"/api/sessions/{session}/picture", data=jpeg, headers=JPEG))[0] == 200
            started, *_, finished = await one_answer(events)
            told = await api.answer("GET", f"{path}/{finished['id']}/exchange")
            await api.ask("PATCH", f"/api/sessions/{session}", json={"api_key": "sk-mistyped"})
            failed = await events.until("answer.failed")
            refused = await api.answer("GET", failed["frame"].replace("frame.jpg", "exchange"))
        _, listed = await api.ask("GET", path)
    exchange = told.json
    assert (exchange["prompt"], exchange["system_prompt"]) == (started["prompt"], "Be brief.")
    assert exchange["request"]["url"] == f"{models.api_base}/chat/completions"
    assert exchange["request"]["body"]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (exchange["pictures"][0]["width"], exchange["left_out"]) == (64, ["temperature"])
    assert [one["status"] for one in exchange["refused"]] == [400]
    assert (exchange["response"]["text"], exchange["response"]["thoughts"]) == ("A cup.", "hm")
    assert exchange["response"]["usage"]["completion_tokens"] == 2
    assert exchange["numbers"] == finished["numbers"]
    assert listed["answers"][-1]["left_out"] == finished["left_out"] == ["temperature"]
    assert (refused.json["response"]["status"], refused.json["error"]["code"]) == (401, "unauthorised")
    assert (await api.ask("GET", f"{path}/99/exchange"))[0] == 404
    assert not any(
        secret in told.body + refused.body for secret in (b"sk-secret", b"sk-mistyped", b"Authorization", b"/9j/")
    )
