from __future__ import annotations

import pytest

from live_vlm_webui.errors import ConflictError, InputError
from live_vlm_webui.sessions.turns import MOST_PAGES, Turns


def test_a_request_that_comes_after_a_later_one_of_its_page_is_refused():
    turns = Turns()
    turns.take("page.1")
    turns.take("page.3")
    with pytest.raises(ConflictError, match="came late"):
        turns.take("page.2")
    turns.take("page.4")


def test_a_request_that_takes_long_learns_that_a_later_one_has_come_meanwhile():
    turns = Turns()
    turns.take("page.1")
    turns.check("page.1")
    turns.take("page.2")
    with pytest.raises(ConflictError):
        turns.check("page.1")


def test_pages_do_not_refuse_each_other_and_programs_number_nothing():
    turns = Turns()
    turns.take("page.9")
    turns.take("other.1")
    turns.take(None)
    turns.check(None)
    turns.check("other.1")


def test_pages_that_were_silent_for_long_are_forgotten():
    turns = Turns()
    turns.take("first.5")
    turns.take("busy.5")
    for number in range(MOST_PAGES - 1):
        turns.take(f"page{number}.1")
        turns.take(f"busy.{6 + number}")
    turns.take("first.1")
    with pytest.raises(ConflictError):
        turns.take("busy.5")


@pytest.mark.parametrize(
    "turn", ["", "page", "page.", ".1", "page.-1", "page.1.2", "pa ge.1", f"{'a' * 41}.1", "page.١"]
)
def test_another_form_is_refused(turn):
    with pytest.raises(InputError, match="instead of a page and a number"):
        Turns().take(turn)
