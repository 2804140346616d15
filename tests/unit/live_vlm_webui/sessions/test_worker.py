from __future__ import annotations

import asyncio
import statistics
import threading
import time
from dataclasses import replace
from itertools import pairwise

import pytest
from session_parts import (
    LABEL,
    Browser,
    HandCamera,
    PictureCamera,
    image,
    model_error,
    until,
)

from live_vlm_webui.models.model import Delta
from live_vlm_webui.sessions import gatherer, sampling, worker
from live_vlm_webui.sessions.session import Session
from live_vlm_webui.sessions.settings import SessionSettings

MOMENT = 0.15
"""Long enough for several rounds."""


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Pauses that are seconds in life."""
    monkeypatch.setattr(worker, "ROUND_SECONDS", 0.005)
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.03)
    monkeypatch.setattr(worker, "CHANGE_SECONDS", 0.01)
    monkeypatch.setattr(sampling, "CHANGE_SECONDS", 0.01)
    monkeypatch.setattr(sampling, "REEL_SLACK_SECONDS", 0.05)
    monkeypatch.setattr(gatherer, "PROMPTNESS_SECONDS", 0.005)


@pytest.fixture
async def make(shelf, encoders):
    """Sessions that are closed in the end, each with a camera and a browser."""
    sessions = []

    async def start(camera=None, **settings):
        session = Session("x", models=shelf, encoders=encoders, settings=replace(SessionSettings(), **settings))
        sessions.append(session)
        browser = Browser(session.subscribe())
        await browser.until("session")
        if camera is not None:
            await session.attach(camera)
        return session, browser

    yield start
    for session in sessions:
        await session.close()


async def test_a_frame_is_asked_about_and_its_answer_told_piece_by_piece(make, shelf):
    camera = HandCamera()
    session, browser = await make(camera, prompt="What is there?", max_tokens=50)
    camera.put()

    finished = (await browser.until("answer.finished"))[0]

    question = shelf.model().questions[0]
    assert (question.prompt, question.max_tokens, len(question.pictures)) == ("What is there?", 50, 1)
    assert [event["type"] for event in browser.heard if event["type"].startswith("answer")][:2] == [
        "answer.started",
        "answer.delta",
    ]
    assert finished["text"] == "".join(event["text"] for event in browser.of("answer.delta")) == "A cat."
    assert finished["numbers"]["tokens"] == 3
    assert 0 <= finished["numbers"]["overhead"] <= finished["numbers"]["total"] < 5000
    assert finished["percentiles"]["answers"] == 1
    started = browser.of("answer.started")[0]
    assert started["model"] == LABEL.to_json()
    assert started["frame"] == session.frame_path(finished["id"])


async def test_the_history_keeps_the_very_picture_that_was_sent(make, shelf):
    camera = HandCamera()
    session, browser = await make(camera)
    camera.put()
    await browser.until("answer.finished")

    assert session.history.get(1).picture is shelf.model().questions[0].pictures[0]
    assert session.picture(1) is session.history.get(1).picture


async def test_the_picture_of_an_answer_can_be_seen_before_the_answer_is_complete(make, shelf):
    camera = HandCamera()
    session, browser = await make(camera)
    shelf.model().gate.clear()
    camera.put()
    started = (await browser.until("answer.started"))[0]

    assert session.picture(started["id"]) is shelf.model().questions[0].pictures[0]
    assert session.state()["asking"]["id"] == started["id"]


async def test_nothing_is_paid_for_frames_that_are_not_asked_about(make, shelf, encoders):
    camera = HandCamera()
    _, browser = await make(camera)
    shelf.model().gate.clear()
    camera.put()
    await shelf.model().until_asked(1)
    for level in range(100, 150):
        camera.put(image(level))
        await asyncio.sleep(0)
    shelf.model().gate.set()
    finished = await browser.until("answer.finished", 2)

    assert encoders.counts == {"warm_up": 1, "prepare": 2}
    assert [event["numbers"]["frames_skipped"] for event in finished] == [0, 49]


async def test_a_frame_is_asked_about_once(make, shelf):
    camera = HandCamera()
    _, browser = await make(camera)
    camera.put()
    await browser.until("answer.finished")
    await asyncio.sleep(MOMENT)

    assert len(shelf.model().questions) == 1


async def test_every_third_frame_is_asked_about(make, shelf):
    camera = HandCamera()
    _, browser = await make(camera, sampling=sampling.EveryFrames(3))
    for number in range(1, 8):
        camera.put(image(20 * number))
        await until(lambda number=number: len(browser.of("answer.finished")) == (number + 2) // 3)

    assert [event["numbers"]["frames_skipped"] for event in browser.of("answer.finished")] == [0, 2, 2]


async def keep_showing(camera, seconds, make_image=image):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        camera.put(make_image())
        await asyncio.sleep(0.005)


async def pauses(camera, model, questions):
    """Show pictures until so many questions have come; the seconds between them."""
    showing = asyncio.ensure_future(keep_showing(camera, 30))
    await model.until_asked(questions)
    showing.cancel()
    return [after - before for before, after in pairwise(model.asked_at)]


@pytest.mark.alone
async def test_questions_are_as_far_apart_as_was_said(make, shelf):
    camera = HandCamera()
    await make(camera, sampling=sampling.EverySeconds(0.1))

    assert 0.08 < statistics.median(await pauses(camera, shelf.model(), 4)) < 1


@pytest.mark.alone
async def test_a_model_that_takes_its_time_is_asked_no_faster(make, shelf):
    camera = HandCamera()
    shelf.model().pace = 0.1
    await make(camera)

    assert 0.08 < statistics.median(await pauses(camera, shelf.model(), 4)) < 1


async def test_an_unchanged_picture_is_asked_about_once_and_a_changed_one_again(make, shelf):
    camera = HandCamera()
    _, browser = await make(camera, sampling=sampling.OnChange(0.05, 60.0))
    await keep_showing(camera, MOMENT)
    assert len(shelf.model().questions) == 1

    changed = image()
    other = bytearray(bytes(changed.planes[0]))
    other[len(other) // 2 :] = bytes([10]) * (len(other) - len(other) // 2)
    changed.planes[0].update(bytes(other))
    camera.put(changed)
    await browser.until("answer.finished", 2)
    await keep_showing(camera, MOMENT, lambda: changed)

    assert len(shelf.model().questions) == 2
    assert browser.of("answer.finished")[1]["percentiles"]["calls_saved"] > 0


@pytest.mark.alone
async def test_an_unchanged_picture_is_asked_about_after_the_longest_silence(make, shelf):
    camera = HandCamera()
    await make(camera, sampling=sampling.OnChange(0.05, 0.1))

    assert 0.08 < statistics.median(await pauses(camera, shelf.model(), 4)) < 1


async def test_a_frame_that_is_too_old_is_not_asked_about(make, shelf):
    camera = HandCamera()
    camera.put()
    await asyncio.sleep(0.06)
    await make(camera, max_frame_age=0.05)
    await asyncio.sleep(0.05)
    assert shelf.model().questions == []

    camera.put()
    await shelf.model().until_asked(1)


@pytest.mark.alone
async def test_a_question_about_motion_has_several_frames_at_their_distance_oldest_first(make, shelf):
    camera = HandCamera()
    levels = iter(range(30, 250, 2))
    session, browser = await make(camera, frames_per_question=3, frame_spacing=0.04)
    await keep_showing(camera, 0.3, lambda: image(next(levels)))
    await browser.until("answer.finished")

    pictures = shelf.model().questions[-1].pictures
    assert len(pictures) == 3
    assert len({picture.jpeg for picture in pictures}) == 3
    assert session.history.last(1)[0].picture is pictures[-1]


async def test_a_question_about_motion_has_the_only_picture_that_there_is(make, shelf):
    camera = PictureCamera()
    await make(camera, frames_per_question=4, frame_spacing=0.04)
    camera.put()
    await shelf.model().until_asked(1)

    assert len(shelf.model().questions[0].pictures) == 1


async def test_nothing_is_asked_while_paused(make, shelf):
    camera = HandCamera()
    session, _ = await make(camera, paused=True)
    await keep_showing(camera, MOMENT)
    assert shelf.model().questions == []

    await session.change({"paused": False})
    await shelf.model().until_asked(1)


async def test_unchanged_state_is_told_no_second_time_however_many_frames_come(make):
    camera = HandCamera()
    session, browser = await make(camera, paused=True)
    camera.become(state="live", width=64, height=48)
    for _ in range(27):
        camera.put()
        camera.become(state="live", width=64, height=48)
        await session.change({"prompt": session.settings.prompt, "paused": True})
        await asyncio.sleep(0.001)

    assert [event["type"] for event in browser.heard] == ["session", "camera", "camera"]


async def test_a_change_of_the_prompt_applies_to_the_next_question_and_leaves_the_one_that_is_out(make, shelf):
    camera = HandCamera()
    session, browser = await make(camera, prompt="old")
    shelf.model().gate.clear()
    camera.put()
    await shelf.model().until_asked(1)
    await session.change({"prompt": "new", "max_tokens": 7})
    camera.put()
    shelf.model().gate.set()
    await browser.until("answer.finished", 2)

    assert [(question.prompt, question.max_tokens) for question in shelf.model().questions] == [
        ("old", 256),
        ("new", 7),
    ]
    assert shelf.model().given_up == 0
    assert [answer.prompt for answer in session.history] == ["old", "new"]


async def test_a_change_of_the_model_gives_up_the_question_that_is_out(make, shelf):
    camera = HandCamera()
    session, browser = await make(camera)
    shelf.model("first").gate.clear()
    camera.put()
    await shelf.model("first").until_asked(1)
    await session.change({"model": "second"})
    camera.put()
    await browser.until("answer.finished")

    assert shelf.model("first").given_up == shelf.model("first").closed == 1
    assert len(shelf.model("second").questions) == 1
    assert [event["model"]["name"] for event in browser.of("model")] == ["first", "second"]
    assert [answer.model.name for answer in session.history] == ["second"]


async def test_a_question_that_was_given_up_is_asked_again_at_once_however_rarely_it_is_to_be_asked(make, shelf):
    camera = HandCamera()
    session, browser = await make(camera, sampling=sampling.EverySeconds(3600))
    shelf.model("first").gate.clear()
    camera.put()
    await shelf.model("first").until_asked(1)

    await session.change({"model": "second"})
    camera.put()
    await browser.until("answer.finished")

    assert len(shelf.model("second").questions) == 1


async def test_a_picture_is_asked_about_although_settings_change_while_it_is_compressed(make, shelf, encoders):
    camera = PictureCamera()
    session, browser = await make(camera)
    free = threading.Event()
    for _ in range(2):
        encoders.submit(free.wait)
    camera.put()
    await until(lambda: "prepare" in encoders.counts)

    await session.change({"sampling": {"mode": "seconds", "every": 3600}})
    free.set()
    await browser.until("answer.finished")

    assert len(shelf.model().questions) == 1


async def test_a_change_of_the_prompt_asks_again_about_a_picture(make, shelf):
    camera = PictureCamera()
    session, browser = await make(camera, prompt="old", max_frame_age=0.05)
    camera.put()
    await browser.until("answer.finished")
    await asyncio.sleep(0.06)
    await session.change({"prompt": "new"})
    await browser.until("answer.finished", 2)

    assert [question.prompt for question in shelf.model().questions] == ["old", "new"]


async def test_another_camera_takes_over_while_questions_are_asked(make, shelf):
    first, second = HandCamera("first"), HandCamera("second")
    session, browser = await make(first)
    first.put(image(40))
    await browser.until("answer.finished")
    await session.attach(second)
    first.put(image(60))
    second.put(image(200, 96, 48))
    await browser.until("answer.finished", 2)

    assert (first.closed, second.closed) == (1, 0)
    assert [question.pictures[0].width for question in shelf.model().questions] == [64, 96]
    assert [event["camera"]["source"] for event in browser.of("camera")] == ["first", "second"]


async def test_without_its_camera_a_session_waits(make, shelf):
    camera = HandCamera()
    session, browser = await make(camera)
    camera.put()
    await browser.until("answer.finished")
    await session.attach(None)
    camera.put()
    await asyncio.sleep(MOMENT)

    assert len(shelf.model().questions) == 1
    assert browser.of("camera")[-1]["camera"] is None


@pytest.mark.alone
async def test_instant_answers_do_not_make_a_busy_loop(make, shelf, monkeypatch):
    monkeypatch.setattr(worker, "ROUND_SECONDS", 0.05)
    camera = HandCamera()
    await make(camera)

    assert 0.04 < statistics.median(await pauses(camera, shelf.model(), 6)) < 1


async def test_a_failure_is_told_once_with_its_remedy_and_asked_again_ever_more_rarely(make, shelf):
    shelf.model().reply = lambda _question: model_error()
    camera = HandCamera()
    _, browser = await make(camera)
    first, second, third = await pauses(camera, shelf.model(), 4)

    assert first >= 0.03
    assert second >= 0.06
    assert third >= 0.12
    assert first + second + third < 5
    assert len(browser.of("answer.started")) == len(browser.of("answer.failed")) == 1
    failed = browser.of("answer.failed")[0]
    assert failed["error"] == {
        "code": "unreachable",
        "message": "Nobody answers at the address.",
        "remedy": "Start it.",
    }
    assert failed["id"] == browser.of("answer.started")[0]["id"]


async def test_a_server_that_asks_for_a_pause_is_given_it(make, shelf):
    busy = model_error("rate-limited", "Too many.")
    busy.retry_after = 0.3
    shelf.model().reply = lambda _question: busy
    camera = HandCamera()
    await make(camera)

    assert 0.3 <= min(await pauses(camera, shelf.model(), 2)) < 5


async def test_another_failure_is_told_again(make, shelf):
    replies = iter(
        [model_error(), model_error(), model_error("timeout", "Too slow."), model_error("timeout", "Too slow.")]
    )
    shelf.model().reply = lambda _question: next(replies, model_error("timeout", "Too slow."))
    camera = HandCamera()
    _, browser = await make(camera)
    await pauses(camera, shelf.model(), 4)
    await browser.until("answer.failed", 2)

    assert [event["error"]["code"] for event in browser.of("answer.failed")] == ["unreachable", "timeout"]


async def test_a_session_recovers_by_itself_and_tells_the_same_failure_again_later(make, shelf):
    camera = HandCamera()
    session, browser = await make(camera)
    shelf.model().reply = lambda _question: model_error()
    camera.put()
    await browser.until("answer.failed")
    assert session.state()["error"]["code"] == "unreachable"
    shelf.model().reply = lambda _question: [Delta("Back.")]
    await keep_showing(camera, 0.1)
    await browser.until("answer.finished")
    assert session.state()["error"] is None
    assert len(browser.of("answer.started")) == len(browser.of("answer.finished")) + 1

    shelf.model().reply = lambda _question: model_error()
    camera.put()
    await browser.until("answer.failed", 2)


async def test_a_failure_in_the_middle_of_an_answer_ends_what_was_begun_each_time(make, shelf):
    model = shelf.model()

    async def breaks(question):
        model.questions.append(question)
        yield Delta("A c")
        raise model_error("timeout", "It stopped.")

    model.answer = breaks
    camera = HandCamera()
    _, browser = await make(camera)
    await keep_showing(camera, 0.2)

    assert len(model.questions) > 1
    assert [event["id"] for event in browser.of("answer.failed")] == [
        event["id"] for event in browser.of("answer.started")
    ]
    assert browser.of("answer.finished") == []


async def test_a_change_of_settings_ends_the_pause_after_a_failure(make, shelf, monkeypatch):
    monkeypatch.setattr(worker, "FIRST_PAUSE", 60.0)
    shelf.model().reply = lambda _question: model_error()
    camera = PictureCamera()
    session, browser = await make(camera)
    camera.put()
    await browser.until("answer.failed")
    await session.change({"max_tokens": 99})

    await shelf.model().until_asked(2)
    await browser.until("answer.failed", 2)


async def test_a_camera_that_comes_back_ends_the_pause_after_a_failure(make, shelf, monkeypatch):
    monkeypatch.setattr(worker, "FIRST_PAUSE", 60.0)
    shelf.model().reply = lambda _question: model_error()
    camera = HandCamera()
    _, browser = await make(camera)
    camera.put()
    await browser.until("answer.failed")
    camera.become(state="lost", detail="Unplugged.")
    camera.become(state="live", detail="")
    camera.put()

    await shelf.model().until_asked(2)


async def test_a_model_that_cannot_be_opened_is_told_and_tried_again(make, shelf):
    shelf.trouble = model_error("model-missing", "There is no such model.")
    camera = HandCamera()
    session, browser = await make(camera)
    camera.put()
    told = (await browser.until("model"))[0]
    assert told["model"] is None
    assert told["error"]["code"] == "model-missing"
    assert session.state()["model"] is None

    shelf.trouble = None
    await browser.until("answer.finished")
    assert len(browser.of("model")) == 2
    assert browser.of("model")[1] == {"type": "model", "model": LABEL.to_json(), "error": None}


async def test_a_fault_of_our_own_ends_no_session(make, shelf, caplog):
    shelf.model().reply = lambda _question: ZeroDivisionError("secret inside")
    camera = HandCamera()
    _, browser = await make(camera)
    camera.put()
    error = (await browser.until("answer.failed"))[0]["error"]
    assert error["code"] == "bad-answer"
    assert "ZeroDivisionError" in error["message"]
    assert "secret" not in error["message"]

    shelf.model().reply = lambda _question: [Delta("Back.")]
    await browser.until("answer.finished")


async def test_an_answer_without_a_word_is_a_failure(make, shelf):
    shelf.model().reply = lambda _question: [Delta("", 0)]
    camera = HandCamera()
    session, browser = await make(camera)
    camera.put()

    assert (await browser.until("answer.failed"))[0]["error"]["code"] == "bad-answer"
    assert len(session.history) == 0


async def test_an_answer_that_does_not_end_is_cut(make, shelf, monkeypatch):
    monkeypatch.setattr(worker, "LONGEST_ANSWER", 1000)
    shelf.model().reply = lambda _question: [Delta("x" * 300)] * 100
    camera = HandCamera()
    _, browser = await make(camera)
    camera.put()

    assert len((await browser.until("answer.finished"))[0]["text"]) == 1200
    assert shelf.model().given_up == 1


async def test_a_model_that_says_nothing_for_ever_is_given_up(make, shelf, monkeypatch):
    monkeypatch.setattr(worker, "ANSWER_SECONDS", 0.05)
    shelf.model().gate.clear()
    camera = HandCamera()
    _, browser = await make(camera)
    camera.put()

    assert (await browser.until("answer.failed"))[0]["error"]["code"] == "timeout"


async def test_a_frame_that_cannot_be_compressed_is_told_and_the_next_one_tried(make, shelf, caplog):
    camera = HandCamera()
    _, browser = await make(camera)
    broken = image()
    camera.put(broken)
    await browser.until("answer.finished")
    camera.put(NoFrame())
    error = (await browser.until("answer.failed"))[0]["error"]
    assert error["code"] == "unreadable"

    camera.put()
    await browser.until("answer.finished", 2)


class NoFrame:
    """Has a size like a frame, and nothing else."""

    width = 64
    height = 48


async def test_threads_that_are_gone_make_no_busy_loop(make, shelf, encoders, caplog):
    camera = HandCamera()
    _, browser = await make(camera)
    camera.put()
    await browser.until("answer.finished")
    encoders.shutdown()
    await keep_showing(camera, 0.3)

    assert encoders.counts["prepare"] < 8


async def test_a_cancellation_from_within_a_model_makes_no_busy_loop(make, shelf):
    shelf.model().reply = lambda _question: asyncio.CancelledError()
    model = shelf.model()

    async def cancelled(question):
        model.questions.append(question)
        raise asyncio.CancelledError
        yield

    model.answer = cancelled
    camera = HandCamera()
    _, browser = await make(camera)
    await keep_showing(camera, 0.3)

    assert 1 <= len(model.questions) < 8
    assert browser.of("answer.failed")


async def test_a_cancellation_that_a_model_swallows_is_repeated(make, shelf):
    model = shelf.model("first")

    async def stubborn(question):
        model.questions.append(question)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(60)
        yield

    model.answer = stubborn
    camera = HandCamera()
    session, browser = await make(camera)
    camera.put()
    await until(lambda: len(model.questions) == 1)
    await session.change({"model": "second"})
    camera.put()

    await browser.until("answer.finished")


async def test_halves_of_characters_in_an_answer_break_nothing(make, shelf):
    shelf.model().reply = lambda _question: [Delta("caf\u00e9 \ud83d"), Delta("\ude00")]
    camera = HandCamera()
    _, browser = await make(camera)
    camera.put()

    assert (await browser.until("answer.finished"))[0]["text"].startswith("caf\u00e9 ")


@pytest.mark.alone
async def test_an_idle_session_does_nothing_at_all(make, encoders):
    camera = HandCamera()
    await make(camera)
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0.02)
    turns = 0

    def count():
        nonlocal turns
        turns += 1

    original = loop._run_once  # each turn of the loop

    def counted():
        count()
        original()

    loop._run_once = counted
    await asyncio.sleep(0.2)
    del loop._run_once

    assert turns < 5
