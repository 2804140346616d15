"""Sessions from frames to answers, with the real clients against a server of models on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import statistics
import time
from datetime import datetime
from itertools import pairwise

import pytest
import simplejpeg
from openai_server import OpenAIServer
from session_parts import Browser, HandCamera, image, until

from live_vlm_webui.sessions import choice, session, worker


@pytest.fixture
async def watched(sessions):
    """A session with a camera and a browser."""
    session = sessions.create()
    camera = HandCamera()
    await session.attach(camera)
    browser = Browser(session.subscribe())
    await browser.until("session")
    return session, camera, browser


async def show(camera, seconds, rate=30):
    """Frames at an even rate."""
    begun = time.monotonic()
    for number in range(int(seconds * rate)):
        camera.put(image(40 + number % 200, 640, 360))
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))


async def test_the_history_holds_the_very_bytes_that_the_server_was_sent(watched, server):
    session, camera, browser = watched
    camera.put(image(90, 1280, 720))
    finished = (await browser.until("answer.finished"))[0]

    picture = session.picture(finished["id"])
    assert server.asked[0].pictures == [picture.jpeg]
    assert finished["text"].startswith(f"This is {hashlib.sha256(picture.jpeg).hexdigest()[:8]},")
    assert (picture.width, picture.height) == (640, 360)
    assert finished["numbers"]["tokens"] == 8


async def test_several_frames_go_out_in_one_question_oldest_first(watched, server):
    session, camera, browser = watched
    await session.change({"frames_per_question": 3, "frame_spacing": 0.05})
    await show(camera, 0.6)
    await browser.until("answer.finished")

    sent = [picture.jpeg for picture in session.history.last(1)[0].pictures]
    assert sent in [question.pictures for question in server.asked]  # the newest may have no answer yet
    levels = [simplejpeg.decode_jpeg(jpeg).mean() for jpeg in sent]  # each frame is lighter than the one before
    assert len(levels) == 3
    assert levels == sorted(levels)


async def test_a_server_that_is_ended_and_started_again_is_told_once_and_asked_again(watched, server, monkeypatch):
    monkeypatch.setattr(worker, "LONGEST_PAUSE", 0.3)
    session, camera, browser = watched
    camera.put()
    await browser.until("answer.finished")
    await server.stop()
    await show(camera, 1.5)
    failed = browser.of("answer.failed")
    assert [event["error"]["code"] for event in failed] == ["unreachable"]
    assert failed[0]["error"]["remedy"]
    assert session.state()["error"]["code"] == "unreachable"

    await server.start()
    await show(camera, 1)
    await browser.until("answer.finished", 2)
    assert session.state()["error"] is None
    assert len(browser.of("answer.failed")) == 1


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("drop", {"unreachable", "bad-answer"}),
        ("drop-mid", {"unreachable", "bad-answer"}),
        ("garbage", {"bad-answer"}),
        ("empty", {"bad-answer"}),
    ],
)
async def test_whatever_a_server_does_the_next_question_may_fare_better(watched, server, fault, codes):
    _, camera, browser = watched
    server.behave(fault=fault, times=2)  # a connection that breaks at once is tried twice
    camera.put()
    error = (await browser.until("answer.failed"))[0]["error"]
    assert error["code"] in codes
    await show(camera, 2.5)

    await browser.until("answer.finished")


async def test_white_space_alone_is_no_answer(watched, server):
    _, camera, browser = watched
    server.behave(text=" \n ", times=1)
    camera.put()

    assert "empty answer" in (await browser.until("answer.failed"))[0]["error"]["message"]


async def test_a_key_that_comes_late_is_used_at_once_and_for_that_server_alone(sessions, monkeypatch):
    monkeypatch.setattr(worker, "FIRST_PAUSE", 60.0)
    async with OpenAIServer(api_key="sk-right") as locked, OpenAIServer() as other:
        session = sessions.create()
        camera = HandCamera()
        await session.attach(camera)
        browser = Browser(session.subscribe())
        await session.change({"api_base": locked.api_base, "model": "test-vlm"})
        camera.put()
        assert (await browser.until("answer.failed"))[0]["error"]["code"] == "unauthorised"
        await session.change({"api_key": "sk-right"})
        camera.put()
        await browser.until("answer.finished")
        await session.change({"api_base": other.api_base, "model": "test-vlm"})
        camera.put()
        await browser.until("answer.finished", 2)

        assert {received.key for received in other.requests} == {None}
        assert "sk-right" not in str(browser.heard)
        await session.close()


async def test_another_model_ends_the_request_that_is_out(watched, server):
    session, camera, browser = watched
    server.behave(fault="stall-mid", times=1)
    camera.put()
    await browser.until("answer.delta")
    await session.change({"model": "other-vlm"})
    camera.put()
    finished = (await browser.until("answer.finished"))[0]

    assert await server.ended(server.asked[0]) == "disconnected"
    assert session.history.get(finished["id"]).model.name == "other-vlm"


@pytest.fixture
def patient_end(monkeypatch):
    """A session that waits long, at its end, for what does not end at once."""
    for module, name in ((worker, "STOP_SECONDS"), (choice, "CLOSE_SECONDS"), (session, "CLOSE_SECONDS")):
        monkeypatch.setattr(module, name, 600)


async def test_the_end_of_a_session_ends_its_request_at_once(patient_end, watched, server):
    session, camera, _ = watched
    server.behave(fault="stall")
    camera.put()
    await server.seen(questions=1)
    begun = time.monotonic()
    await session.close()

    assert time.monotonic() - begun < 60
    assert await server.ended(server.asked[0]) == "disconnected"


async def test_twenty_sessions_with_questions_out_end_together(patient_end, sessions, server):
    server.behave(fault="stall")
    for _ in range(20):
        session = sessions.create()
        camera = HandCamera()
        await session.attach(camera)
        camera.put()
    await server.seen(questions=20)
    begun = time.monotonic()
    await sessions.close()

    assert time.monotonic() - begun < 60
    await until(lambda: server.under_way == 0)


async def test_the_model_is_asked_again_as_soon_as_it_is_free(watched, server):
    _, camera, browser = watched
    server.behave(total=0.1)
    await show(camera, 3)
    await browser.until("answer.finished")

    arrivals = [received.at for received in server.asked]
    rounds = [after - before for before, after in pairwise(arrivals)]
    assert statistics.median(rounds) < 2 * 0.1
    assert server.most_at_once == 1


async def test_a_question_leaves_when_it_is_said_to(watched, server):
    _, camera, browser = watched
    await show(camera, 1)
    finished = await browser.until("answer.finished", 5)

    started = browser.of("answer.started")
    late = [
        received.at - datetime.fromisoformat(event["at"]).timestamp()
        for received, event in zip(server.asked, started, strict=False)
    ]
    assert statistics.median(late) < 0.2
    assert statistics.median(event["numbers"]["overhead"] for event in finished) < 200


async def test_a_slow_model_is_asked_about_the_newest_frame(watched, server):
    _, camera, browser = watched
    server.behave(total=0.3)
    await show(camera, 1.5)
    finished = await browser.until("answer.finished", 3)

    # A frame that had waited for the model would be as old as an answer takes.
    assert statistics.median(event["numbers"]["capture_age"] for event in finished) < 150
    assert all(event["numbers"]["frames_skipped"] >= 2 for event in finished[1:3])
