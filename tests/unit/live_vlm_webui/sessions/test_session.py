from __future__ import annotations

import asyncio
import contextlib
import json
import time

import pytest
from session_parts import Browser, HandCamera, model_error, until

from live_vlm_webui.errors import ConflictError, InputError
from live_vlm_webui.models.model import BUILT_IN, Delta, ModelLabel
from live_vlm_webui.models.offer import Offer
from live_vlm_webui.secret import Secret
from live_vlm_webui.sessions import choice, session, worker
from live_vlm_webui.sessions.session import Session
from live_vlm_webui.sessions.settings import SessionSettings

SERVER = "http://127.0.0.1:9/v1"
ELSEWHERE = "http://models.example/v1"


@pytest.fixture
async def make(shelf, encoders):
    sessions = []

    def start(**settings):
        made = Session(str(len(sessions)), models=shelf, encoders=encoders, settings=SessionSettings(**settings))
        sessions.append(made)
        return made

    yield start
    for made in sessions:
        await made.close()


async def test_the_whole_state_is_json_that_says_how_all_is(make):
    made = make()
    await made.attach(HandCamera("rtsp://camera"))

    told = json.loads(json.dumps(made.state()))

    assert told["id"] == made.id
    assert told["settings"] == made.settings.to_json()
    assert told["camera"]["source"] == "rtsp://camera"
    assert (told["model"], told["error"], told["asking"], told["answers"], told["system"]) == (
        None,
        None,
        None,
        [],
        None,
    )
    assert told["percentiles"]["answers"] == 0


async def test_settings_of_one_session_are_not_those_of_another(make, shelf):
    one, other = make(), make()
    cameras = HandCamera(), HandCamera()
    for made, camera in zip((one, other), cameras, strict=True):
        await made.attach(camera)
    before = other.settings
    await one.change(
        {
            "prompt": "mine",
            "max_tokens": 7,
            "long_side": 64,
            "sampling": {"mode": "seconds", "every": 60},
            "model": "second",
            "api_base": SERVER,
            "api_key": "sk-mine",
            "max_frame_age": 1,
            "frames_per_question": 2,
            "frame_spacing": 9,
        }
    )

    assert other.settings == before == SessionSettings()
    assert make().settings == SessionSettings()
    cameras[1].put()
    question = (await shelf.model("first").until_asked(1))[0]
    assert (question.prompt, question.max_tokens) == (before.prompt, before.max_tokens)
    assert [(label.name, key) for label, key in shelf.opened if label.name == "first"] == [("first", None)]


async def test_a_change_of_settings_is_told_to_all_browsers_of_that_session_alone(make):
    one, other = make(), make()
    browsers = [Browser(one.subscribe()), Browser(one.subscribe()), Browser(other.subscribe())]
    for browser in browsers:
        await browser.until("session")
    await one.change({"prompt": "mine"})

    for browser in browsers[:2]:
        assert (await browser.until("settings"))[0]["settings"]["prompt"] == "mine"
    assert browsers[2].of("settings") == []


async def test_a_wrong_patch_changes_and_tells_nothing(make):
    made = make()
    browser = Browser(made.subscribe())
    with pytest.raises(InputError):
        await made.change({"prompt": "new", "max_tokens": 0})
    await asyncio.sleep(0)

    assert made.settings == SessionSettings()
    assert browser.of("settings") == []


async def test_a_key_is_used_for_its_own_address_alone(make, shelf):
    shelf.keyring.give(SERVER, Secret("sk-server"))
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    camera.put()
    await shelf.model("first").until_asked(1)
    await made.change({"api_base": ELSEWHERE, "model": "elsewhere"})
    camera.put()
    await shelf.model("elsewhere").until_asked(1)

    assert [(label.api_base, key) for label, key in shelf.opened] == [(SERVER, "sk-server"), (ELSEWHERE, None)]


async def test_a_key_alone_is_for_the_model_in_use_and_opens_it_again(make, shelf):
    shelf.model("first").reply = lambda _question: model_error("unauthorised", "401")
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    camera.put()
    await shelf.model("first").until_asked(1)
    shelf.model("first").reply = lambda _question: [Delta("Now.")]
    await made.change({"api_key": "sk-mine"})
    camera.put()
    await until(lambda: len(made.history) == 1)

    assert [key for _, key in shelf.opened] == [None, "sk-mine"]
    assert shelf.keyring.endpoint(SERVER).key is None
    assert "sk-mine" not in json.dumps(made.state())


async def test_a_key_that_belongs_to_no_address_is_refused(make):
    with pytest.raises(InputError, match="api_key"):
        await make().change({"api_key": "sk-mine"})


async def test_a_key_with_its_address_is_put_on_the_ring_of_that_session_alone(make, shelf):
    one, other = make(), make()
    await one.change({"api_base": ELSEWHERE, "api_key": "sk-mine"})

    assert one.keyring.endpoint(ELSEWHERE).key == Secret("sk-mine")
    assert other.keyring.endpoint(ELSEWHERE).key is None
    assert shelf.keyring.endpoint(ELSEWHERE).key is None


async def test_an_address_without_a_model_takes_the_first_there_that_sees(make, shelf):
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    await made.change({"api_base": ELSEWHERE})
    camera.put()
    await shelf.model("first").until_asked(1)

    assert shelf.opened[-1][0].api_base == ELSEWHERE
    assert made.settings.model == ""
    await until(lambda: made.state()["model"] is not None)
    assert made.state()["model"]["name"] == "first"


async def test_the_first_question_waits_until_it_was_looked_for_servers(make, shelf):
    shelf.looked.clear()
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    camera.put()
    await asyncio.sleep(0.02)
    assert shelf.opened == []

    shelf.looked.set()
    await shelf.model("first").until_asked(1)


async def test_a_server_that_is_found_later_takes_over_from_the_describer(make, shelf):
    found, describer = shelf.offers[0], Offer(ModelLabel(BUILT_IN, "describer"), vision=True)
    shelf.offers = (describer,)
    made, chosen = make(), make(api_base=BUILT_IN)
    cameras = HandCamera(), HandCamera()
    for session_, camera in zip((made, chosen), cameras, strict=True):
        await session_.attach(camera)
        camera.put()
    await until(lambda: len(made.history) == len(chosen.history) == 1)
    shelf.offers = (found, describer)
    for camera in cameras:
        camera.put()
    await until(lambda: len(made.history) == len(chosen.history) == 2)

    assert [answer.model.name for answer in made.history] == ["describer", "first"]
    assert [answer.model.name for answer in chosen.history] == ["describer", "describer"]


async def test_the_describer_does_not_step_in_unasked_for_a_server_that_was_in_use(make, shelf):
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    camera.put()
    await until(lambda: len(made.history) == 1)
    shelf.offers = (Offer(ModelLabel(BUILT_IN, "describer"), vision=True),)
    camera.put()
    await until(lambda: len(made.history) == 2)

    assert [answer.model.name for answer in made.history] == ["first", "first"]


@pytest.mark.parametrize(("vision", "code"), [(False, "not-vision"), (None, None)])
async def test_an_address_where_no_model_sees_is_told_as_such(make, shelf, vision, code):
    shelf.offers = (Offer(shelf.offers[0].label, vision=vision),)
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    await made.change({"api_base": ELSEWHERE})
    camera.put()
    await until(lambda: made.state()["error"] is not None or len(made.history) > 0)

    error = made.state()["error"]
    assert (error and error["code"]) == code


async def test_what_the_catalog_refuses_is_told_as_a_failure_of_the_model(make, shelf):
    shelf.trouble = InputError("Not that one.", "Choose another.")
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    camera.put()
    await until(lambda: made.state()["error"] is not None)

    assert made.state()["error"] == {"code": "refused", "message": "Not that one.", "remedy": "Choose another."}


async def test_a_browser_that_comes_during_an_answer_is_told_all_of_it(make, shelf):
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    more = asyncio.Event()
    model = shelf.model()

    async def slowly(question):
        model.questions.append(question)
        yield Delta("A ")
        yield Delta("black ")
        await more.wait()
        yield Delta("cat.")

    model.answer = slowly
    camera.put()
    await until(lambda: made.state()["asking"] is not None and made.state()["asking"]["text"] == "A black ")
    late = Browser(made.subscribe())
    await late.until("session")
    more.set()
    await late.until("answer.finished")

    heard = late.heard[0]["asking"]["text"] + "".join(event["text"] for event in late.of("answer.delta"))
    assert heard == "A black cat."


async def test_the_last_answers_are_told_at_the_start(make, shelf):
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    camera.put()
    await until(lambda: len(made.history) == 1)
    browser = Browser(made.subscribe())
    told = (await browser.until("session"))[0]

    assert [answer["text"] for answer in told["answers"]] == ["A cat."]
    assert told["answers"][0]["frame"] == f"/api/sessions/{made.id}/answers/1/frame.jpg"


async def test_the_same_camera_again_is_left_as_it_is(make):
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    await made.attach(camera)

    assert camera.closed == 0


async def test_a_camera_that_was_replaced_is_not_listened_to(make):
    made = make()
    first = HandCamera("first")
    await made.attach(first)
    await made.attach(HandCamera("second"))
    browser = Browser(made.subscribe())
    await browser.until("session")
    first.become(state="lost")
    await asyncio.sleep(0)

    assert browser.of("camera") == []
    assert first._watchers == []


async def test_what_a_session_held_is_closed_with_it(make, shelf):
    made = make()
    camera = HandCamera()
    await made.attach(camera)
    shelf.model().gate.clear()
    camera.put()
    await shelf.model().until_asked(1)
    browser = Browser(made.subscribe())
    await browser.until("session")
    await made.close("Over.")
    await made.close("Over again.")

    assert (camera.closed, shelf.model().closed, shelf.model().given_up) == (1, 1, 1)
    assert (await browser.until("closing"))[-1] == {"type": "closing", "reason": "Over."}
    assert made.camera is None
    assert len(made.history) == 0
    with pytest.raises(ConflictError):
        await made.attach(HandCamera())


def ignoring_cancellation(model, enough):
    """An `answer` for ``model`` that goes on until the event ``enough``, whoever cancels it."""

    async def answer(question):
        model.questions.append(question)
        while not enough.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await enough.wait()
        yield Delta("Too late.")

    return answer


async def test_a_camera_and_a_model_that_do_not_close_block_nothing(make, shelf, monkeypatch, caplog):
    for module, limit in ((session, 0.2), (choice, 0.1)):
        monkeypatch.setattr(module, "CLOSE_SECONDS", limit)
    monkeypatch.setattr(worker, "STOP_SECONDS", 0.05)
    made = make()
    camera, model, enough = HandCamera(), shelf.model(), asyncio.Event()

    async def for_ever():
        await asyncio.Event().wait()

    camera.close = model.close = for_ever
    model.answer = ignoring_cancellation(model, enough)
    await made.attach(camera)
    camera.put()
    await until(lambda: len(model.questions) == 1)
    begun = time.monotonic()
    await made.close()

    assert time.monotonic() - begun < 60
    assert "did not close" in caplog.text
    enough.set()
    await asyncio.sleep(0.05)


async def test_what_asks_is_ended_although_closing_takes_too_long(make, shelf, monkeypatch, caplog):
    monkeypatch.setattr(session, "CLOSE_SECONDS", 0.05)
    tasks = len(asyncio.all_tasks())
    made = make()
    camera, model, enough = HandCamera(), shelf.model(), asyncio.Event()

    model.answer = ignoring_cancellation(model, enough)
    await made.change({"frames_per_question": 2, "frame_spacing": 0.1})
    await made.attach(camera)
    while not model.questions:
        camera.put()
        await asyncio.sleep(0.01)
    await made.close()
    assert "a model did not close" in caplog.text
    enough.set()
    await until(lambda: len(asyncio.all_tasks()) <= tasks and model.closed == 1)


async def test_an_observer_hears_what_happens_even_if_no_browser_does(shelf, encoders):
    heard = []
    made = Session(
        "x",
        models=shelf,
        encoders=encoders,
        settings=SessionSettings(),
        observe=lambda kind, fields: heard.append((kind, fields)),
    )
    camera = HandCamera()
    await made.attach(camera)
    camera.put()
    await until(lambda: len(made.history) == 1)
    await made.close()

    kinds = [kind for kind, _ in heard]
    assert kinds == ["camera", "model", "answer.started", "answer.finished", "closing"]
    assert dict(heard)["answer.finished"]["numbers"]["total"] >= 0


async def test_an_observer_that_fails_stops_nothing(shelf, encoders, caplog):
    def fail(kind, fields):
        raise RuntimeError("no room")

    made = Session("x", models=shelf, encoders=encoders, settings=SessionSettings(), observe=fail)
    camera = HandCamera()
    await made.attach(camera)
    camera.put()
    await until(lambda: len(made.history) == 1)
    await made.close()
