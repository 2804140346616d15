from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref

import pytest
from session_parts import Browser, HandCamera, until

from live_vlm_webui.errors import LimitError, NotFoundError
from live_vlm_webui.sessions.registry import Sessions
from live_vlm_webui.sessions.settings import SessionSettings


@pytest.fixture
async def make(shelf, encoders):
    registries = []

    def start(**options):
        registries.append(Sessions(catalog=shelf, encoders=encoders, **options))
        return registries[-1]

    yield start
    for registry in registries:
        await registry.close()


async def watch(session):
    browser = Browser(session.subscribe())
    await browser.until("session")
    return browser


async def test_a_session_is_found_by_its_id(make):
    sessions = make()
    made = sessions.create()

    assert sessions.get(made.id) is made
    assert list(sessions) == [made]


async def test_an_id_cannot_be_guessed(make):
    sessions = make(limit=500)
    ids = [sessions.create().id for _ in range(500)]

    assert len(set(ids)) == 500
    assert min(len(session_id) for session_id in ids) >= 22  # 16 bytes at random
    assert len({session_id[:4] for session_id in ids}) > 450


@pytest.mark.parametrize("session_id", ["", "nonsense", "0", "../x"])
async def test_an_unknown_id_is_not_found(make, session_id):
    with pytest.raises(NotFoundError):
        make().get(session_id)


async def test_sessions_begin_with_the_defaults(make):
    defaults = SessionSettings(prompt="From the command line")

    assert make(defaults=defaults).create().settings is defaults


async def test_the_number_of_sessions_is_bounded_and_a_place_becomes_free_again(make):
    sessions = make(limit=2)
    first = sessions.create()
    sessions.create()
    with pytest.raises(LimitError) as refusal:
        sessions.create()
    assert refusal.value.remedy
    await first.close()

    sessions.create()
    with pytest.raises(NotFoundError):
        sessions.get(first.id)


async def test_a_session_ends_after_the_last_browser_has_left(make, clock):
    sessions = make(linger=10)
    made = sessions.create()
    first, last = await watch(made), await watch(made)
    await first.leave()
    await clock.advance(60)
    assert len(sessions) == 1
    await last.leave()

    await clock.advance(5)
    assert len(sessions) == 1
    await clock.advance(5)
    assert len(sessions) == 0
    await until(lambda: made.closed)


async def test_a_reload_of_the_page_finds_its_session_again(make, clock):
    sessions = make(linger=10)
    made = sessions.create()
    for _ in range(3):
        browser = await watch(made)
        await browser.leave()
        await clock.advance(5)
    browser = await watch(sessions.get(made.id))
    await clock.advance(60)

    assert sessions.get(made.id) is made
    await browser.leave()


async def test_without_lingering_a_session_ends_with_its_last_browser(make):
    sessions = make(linger=0)
    made = sessions.create()
    assert len(sessions) == 1
    await (await watch(made)).leave()

    assert len(sessions) == 0
    with pytest.raises(NotFoundError):
        sessions.get(made.id)


async def test_a_browser_that_reads_too_slowly_counts_as_gone(make):
    sessions = make(linger=0)
    made = sessions.create()
    subscription = made.subscribe()
    await subscription.__anext__()
    for number in range(1000):
        await made.change({"max_tokens": number + 1})

    assert len(sessions) == 0
    assert subscription.reason


async def test_a_session_of_a_program_ends_when_it_was_not_asked_for_in_a_while(make, clock):
    sessions = make(idle=600, linger=0)
    made = sessions.create(for_program=True)
    for _ in range(4):
        await clock.advance(500)
        sessions.get(made.id)
    await (await watch(made)).leave()
    await clock.advance(500)
    assert len(sessions) == 1

    await clock.advance(100)
    assert len(sessions) == 0


async def test_a_session_that_no_browser_ever_watched_ends_too(make, clock):
    sessions = make(idle=600)
    sessions.create()
    await clock.advance(500)
    assert len(sessions) == 1

    await clock.advance(100)
    assert len(sessions) == 0


async def test_what_concerns_all_is_told_to_all_and_becomes_json_once(make):
    sessions = make()
    subscriptions = [sessions.create().subscribe() for _ in range(3)]
    for subscription in subscriptions:
        await subscription.__anext__()
    sessions.create()
    sessions.tell_all("system", sample={"cpu": 3})

    texts = [await subscription.__anext__() for subscription in subscriptions]
    assert texts[0] == '{"type":"system","sample":{"cpu":3}}'
    assert texts[0] is texts[1] is texts[2]


async def test_a_sample_that_is_no_json_is_refused_to_who_tells_it(make):
    sessions = make()
    subscription = sessions.create().subscribe()
    await subscription.__anext__()
    with pytest.raises(ValueError, match="JSON"):
        sessions.tell_all("system", sample=float("nan"))


async def test_all_end_at_once_with_questions_out(make, shelf):
    sessions = make(limit=20)
    shelf.model().gate.clear()
    browsers, cameras = [], []
    for _ in range(20):
        made = sessions.create()
        browsers.append(await watch(made))
        cameras.append(HandCamera())
        await made.attach(cameras[-1])
        cameras[-1].put()
    await shelf.model().until_asked(20)
    begun = time.monotonic()
    await sessions.close("The server is stopping.")

    assert time.monotonic() - begun < 60
    assert len(sessions) == 0
    assert [camera.closed for camera in cameras] == [1] * 20
    assert shelf.model().given_up == shelf.model().closed == 20
    for browser in browsers:
        assert (await browser.until("closing"))[0]["reason"] == "The server is stopping."
    with pytest.raises(LimitError):
        sessions.create()


async def test_a_hundred_sessions_leave_nothing_behind(make, shelf):
    sessions = make(limit=1, linger=0)
    tasks, threads = len(asyncio.all_tasks()), set(threading.enumerate())
    references = []
    for number in range(100):
        made = sessions.create()
        browser = await watch(made)
        camera = HandCamera()
        await made.attach(camera)
        await made.change({"frames_per_question": 2 - number % 2, "model": f"model-{number % 3}"})
        camera.put()
        if number % 2:
            await browser.until("answer.finished")
        references += [weakref.ref(thing) for thing in (made, camera, camera.slot, browser.subscription, made.history)]
        await browser.leave()
        await until(lambda: len(sessions) == 0)
    shelf.by_name.clear()
    del made, camera, browser
    await until(lambda: len(asyncio.all_tasks()) == tasks)
    gc.collect()

    assert [reference() for reference in references if reference() is not None] == []
    assert all(thread.name.startswith("encoder") for thread in set(threading.enumerate()) - threads)
