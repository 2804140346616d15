from __future__ import annotations

from dataclasses import replace

import pytest
from session_parts import LABEL, model_error

from live_vlm_webui.errors import NotFoundError
from live_vlm_webui.media.picture import Picture
from live_vlm_webui.models.model import Question
from live_vlm_webui.sessions.events import Events
from live_vlm_webui.sessions.history import History
from live_vlm_webui.sessions.transcript import KEPT_UNANSWERED, SHOWN_ANSWERS, Transcript

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


async def test_a_browser_that_was_told_of_a_question_can_fetch_its_picture_after_it_was_given_up(transcript):
    transcript.begin(LABEL, QUESTION)
    transcript.give_up()

    assert transcript.state()["asking"] is None
    assert transcript.picture(1).jpeg == b"two"
    for _ in range(KEPT_UNANSWERED):
        transcript.begin(LABEL, QUESTION)
        transcript.give_up()
    assert transcript.picture(2).jpeg == b"two"
    with pytest.raises(NotFoundError):
        transcript.picture(1)


async def test_a_browser_is_told_the_last_answers_at_its_start(transcript, make_answer):
    for _ in range(SHOWN_ANSWERS + 5):
        answered(transcript, make_answer(1).numbers)
    state = transcript.state()

    assert [answer["id"] for answer in state["answers"]] == list(range(6, SHOWN_ANSWERS + 6))
    assert state["answers"][-1]["frame"] == f"/frames/{SHOWN_ANSWERS + 5}"
    assert state["answers"][-1]["frames"] == 2
    assert state["percentiles"]["answers"] == SHOWN_ANSWERS + 5


async def test_the_exchange_of_a_failed_question_can_be_had_after_the_next_answer_too(transcript, told, make_answer):
    transcript.begin(LABEL, QUESTION)
    transcript.add("A c")
    transcript.fail(model_error())
    transcript.begin(LABEL, QUESTION)
    transcript.fail(model_error())  # the same again, of which browsers are not told

    assert told[-1][1]["frame"] == transcript.state()["failed_frame"] == "/frames/1"
    failed = transcript.exchange(1)
    assert (failed["response"]["text"], failed["error"], failed["numbers"]) == ("A c", model_error().to_json(), None)
    assert failed["pictures"] == [{"width": 2, "height": 2, "bytes": 3}] * 2
    assert transcript.picture(1).jpeg == b"two"
    transcript.forgive()
    assert transcript.exchange(1)["error"]

    answered(transcript, make_answer(1).numbers)
    assert transcript.state()["failed_frame"] is None
    assert transcript.exchange(3)["response"]["text"] == "A cat."
    assert transcript.exchange(1)["error"]  # a browser that was shown it may still ask


async def test_a_failure_before_anything_was_asked_has_no_exchange(transcript, told):
    transcript.fail(model_error())
    assert told[-1][1]["frame"] is None


async def test_numbers_of_another_system_prompt_are_others(transcript, make_answer):
    numbers = make_answer(1).numbers
    answered(transcript, replace(numbers, total=900.0))
    transcript.begin(LABEL, replace(QUESTION, system_prompt="Be brief."))
    transcript.finish(numbers)

    assert transcript.state()["percentiles"]["total"]["p95"] == numbers.total
