"""Answers that are shared in one survey or phase."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from releaser.core.activity import Activity, Answers, bound
from releaser.errors import InterruptedRunError, ServiceError


def test_many_threads_ask_once_and_all_get_the_answer() -> None:
    answers, asked = Answers(), []

    def ask() -> int:
        asked.append(threading.get_ident())
        return 7

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: answers.once("question", ask), range(50)))

    assert found == [7] * 50
    assert len(asked) == 1


def test_a_refusal_is_an_answer_and_a_stop_is_none() -> None:
    answers, reasons = Answers(), [InterruptedRunError("stopped"), ServiceError("refused", "Log in.")]

    def ask() -> int:
        raise reasons.pop(0)

    with pytest.raises(InterruptedRunError):
        answers.once("question", ask)
    for _ in range(2):
        with pytest.raises(ServiceError, match="refused"):
            answers.once("question", ask)
    assert reasons == []


def test_what_is_forgotten_is_asked_again() -> None:
    answers, values = Answers(), iter((1, 2, 3))

    assert [answers.once(key, lambda: next(values)) for key in ("one", "one", "other")] == [1, 1, 2]
    answers.forget()
    assert answers.once("one", lambda: next(values)) == 3


def test_a_stop_ends_the_wait_for_another_step() -> None:
    answers, activity, begun, end = Answers(), Activity(), threading.Event(), threading.Event()

    def holds() -> None:
        with answers.alone():
            begun.set()
            end.wait(20)

    holder = threading.Thread(target=holds)
    holder.start()
    begun.wait(20)
    activity.cancelled.set()
    with bound(activity), pytest.raises(InterruptedRunError, match="waiting for another step"):
        answers.once("question", lambda: 1)
    end.set()
    holder.join()
