"""Sessions whose camera is a page that pushes JPEGs, or one picture that was dropped."""

from __future__ import annotations

import asyncio

import pytest
from session_parts import Browser, image

from live_vlm_webui.media.jpeg import compress
from live_vlm_webui.media.push import PushCamera


def jpeg(level: int) -> bytes:
    return compress(image(level, 640, 360)).jpeg


@pytest.fixture
async def watched(sessions):
    session = sessions.create()
    browser = Browser(session.subscribe())
    await browser.until("session")
    return session, browser


async def test_a_picture_that_was_dropped_is_asked_about_once_for_each_prompt(watched, server):
    session, browser = watched
    camera = PushCamera("picture")
    await camera.push(jpeg(90))
    await session.attach(camera)
    await browser.until("answer.finished")
    await asyncio.sleep(0.3)
    assert server.questions == 1

    await session.change({"prompt": "Is it day or night?"})
    await browser.until("answer.finished", 2)
    assert server.asked[1].prompt == "Is it day or night?"
    assert server.asked[0].pictures == server.asked[1].pictures


async def test_a_picture_whose_question_failed_is_asked_about_again(watched, server):
    session, browser = watched
    server.behave(fail="openai-500", times=1)
    camera = PushCamera("picture")
    await camera.push(jpeg(90))
    await session.attach(camera)
    await browser.until("answer.failed")

    await browser.until("answer.finished")


async def test_pushed_pictures_are_asked_about_as_they_come(watched, server):
    session, browser = watched
    camera = PushCamera("websocket")
    await session.attach(camera)
    for level in range(40, 200, 8):
        await camera.push(jpeg(level))
        await asyncio.sleep(0.03)
    await browser.until("answer.finished", 3)

    assert len({received.pictures[0] for received in server.asked}) == len(server.asked)
