"""Questions asked side by side."""

from __future__ import annotations

import threading

import pytest

from releaser.core.activity import current
from releaser.core.asking import side_by_side
from releaser.errors import UsageError


def test_answers_come_in_the_order_of_the_questions() -> None:
    first = threading.Event()

    def wait_for_the_other() -> str:
        first.wait()
        return "one"

    def release_the_other() -> str:
        first.set()
        return "two"

    assert side_by_side([wait_for_the_other, release_the_other], within=60) == ["one", "two"]


def test_a_question_knows_how_long_a_service_may_take() -> None:
    (left,) = side_by_side([lambda: current().at_most(60.0)], within=5.0)
    assert left is not None
    assert 0 < left <= 5


def test_a_question_that_obeys_no_limit_is_left_behind() -> None:
    never = threading.Event()
    assert side_by_side([never.wait, lambda: True], within=-3.0 + 0.3) == [None, True]
    never.set()


def test_a_stop_ends_what_is_left_behind() -> None:
    ended = threading.Event()

    def wait_until_stopped() -> bool:
        current().cancelled.wait()
        ended.set()
        return True

    side_by_side([wait_until_stopped], within=-3.0)
    assert ended.wait(60)


def test_what_a_question_raises_is_raised() -> None:
    def refuse() -> None:
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        side_by_side([refuse], within=60)
