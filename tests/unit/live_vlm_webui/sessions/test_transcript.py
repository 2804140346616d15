from __future__ import annotations

import pytest
from session_parts import LABEL, model_error

from live_vlm_webui.errors import NotFoundError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import Question
from live_vlm_webui.sessions.events import Events
from live_vlm_webui.sessions.history import History
from live_vlm_webui.sessions.transcript import SHOWN_ANSWERS, Transcript

QUESTION = Question("What is there?", (Picture(b"one", 2, 2), Picture(b"two", 2, 2)), 50)


@pytest.fixture
async def told():
    return []


@pytest.fixture
async def transcript(told):
    events = Events(dict, observe=lambda kind, fields: told.append((kind, fields)))
    return Transcript(events, History(), "/frames/{}".format)


def answered(transcript, numbers, text="A cat."):
    transcript.begin(LABEL, QUESTION)
    transcript.add(text)
    transcript.finish(numbers)


async def test_ids_increase_from_question_to_question(transcript, told, make_answer):
    numbers = make_answer(1).numbers
    answered(transcript, numbers)
    transcript.begin(LABEL, QUESTION)
    transcript.fail(model_error())
    answered(transcript, numbers)

    assert [answer.id for answer in transcript.history] == [1, 3]
    assert [(kind, fields["id"]) for kind, fields in told] == [
        ("answer.started", 1),
        ("answer.finished", 1),
        ("answer.started", 2),
        ("answer.failed", 2),
        ("answer.started", 3),
        ("answer.finished", 3),
    ]


async def test_after_a_failure_a_question_is_told_of_when_its_answer_comes(transcript, told):
    transcript.fail(model_error())
    transcript.begin(LABEL, QUESTION)
    assert [kind for kind, _ in told] == ["answer.failed"]
    transcript.add("A")

    assert [kind for kind, _ in told] == ["answer.failed", "answer.started"]


async def test_the_same_failure_is_told_again_after_something_was_changed(transcript, told):
    transcript.fail(model_error())
    transcript.fail(model_error())
    assert len(told) == 1
    transcript.forgive()
    transcript.fail(model_error())

    assert len(told) == 2


async def test_the_newest_picture_of_a_question_is_shown_while_it_is_out_and_after_its_answer(transcript, make_answer):
    transcript.begin(LABEL, QUESTION)
    assert transcript.picture(1).jpeg == b"two"
    transcript.finish(make_answer(1).numbers)

    assert transcript.picture(1).jpeg == b"two"


async def test_the_picture_of_a_question_that_was_given_up_is_gone(transcript):
    transcript.begin(LABEL, QUESTION)
    transcript.give_up()

    with pytest.raises(NotFoundError):
        transcript.picture(1)
    assert transcript.state()["asking"] is None


async def test_a_browser_is_told_the_last_answers_at_its_start(transcript, make_answer):
    for _ in range(SHOWN_ANSWERS + 5):
        answered(transcript, make_answer(1).numbers)
    state = transcript.state()

    assert [answer["id"] for answer in state["answers"]] == list(range(6, SHOWN_ANSWERS + 6))
    assert state["answers"][-1]["frame"] == f"/frames/{SHOWN_ANSWERS + 5}"
    assert state["answers"][-1]["frames"] == 2
    assert state["percentiles"]["answers"] == SHOWN_ANSWERS + 5
