from __future__ import annotations

import pytest

from live_vlm_webui.errors import NotFoundError
from live_vlm_webui.sessions.history import OVERHEAD_BYTES, History


def ids(history):
    return [answer.id for answer in history]


def test_the_newest_answers_stay_and_the_oldest_leave(make_answer):
    history = History(most_answers=3)
    for number in range(1, 6):
        history.add(make_answer(number))

    assert ids(history) == [3, 4, 5]
    assert [answer.id for answer in history.last(2)] == [4, 5]
    assert history.last(0) == ()


def test_the_memory_that_pictures_take_is_bounded_too(make_answer):
    history = History(most_answers=1000, most_bytes=50_000)
    for number in range(1, 101):
        history.add(make_answer(number, size=10_000))

    assert history.bytes <= 50_000
    assert ids(history) == [98, 99, 100]


def test_long_words_count_as_memory(make_answer):
    history = History(most_bytes=50_000)
    for number in range(1, 11):
        history.add(make_answer(number, text="x" * 20_000))

    assert ids(history) == [9, 10]


def test_the_newest_answer_stays_however_large_it_is(make_answer):
    history = History(most_bytes=1000)
    history.add(make_answer(1, size=5000))
    history.add(make_answer(2, size=5000))

    assert ids(history) == [2]
    assert history.bytes == make_answer(2, size=5000).size > OVERHEAD_BYTES


def test_an_answer_is_found_with_the_very_picture_that_was_sent(make_answer):
    history = History()
    answer = make_answer(7, pictures=3)
    history.add(answer)

    assert history.get(7).picture is answer.pictures[2]


@pytest.mark.parametrize("answer_id", [0, 1, 99, -1])
def test_an_answer_that_has_left_or_never_was_is_not_found(make_answer, answer_id):
    history = History(most_answers=1)
    history.add(make_answer(1))
    history.add(make_answer(2))

    with pytest.raises(NotFoundError, match=f"no answer {answer_id}\n"):
        history.get(answer_id)


def test_answers_that_come_while_one_reads_are_not_seen(make_answer):
    history = History(most_answers=2)
    history.add(make_answer(1))
    reading = iter(history)
    history.add(make_answer(2))
    history.add(make_answer(3))

    assert [answer.id for answer in reading] == [1]


def test_a_cleared_history_takes_nothing(make_answer):
    history = History()
    history.add(make_answer(1))
    history.clear()

    assert (len(history), history.bytes) == (0, 0)


def test_browsers_are_told_words_numbers_and_where_the_picture_is(make_answer):
    told = make_answer(3, pictures=2).to_json("/api/sessions/x/answers/3/frame.jpg")

    assert told["frame"] == "/api/sessions/x/answers/3/frame.jpg"
    assert (told["id"], told["text"], told["frames"]) == (3, "A cat.", 2)
    assert told["model"]["name"] == "llava"
    assert told["numbers"]["total"] == 300.0
