from __future__ import annotations

import re

import pytest

from live_vlm_webui.security.tickets import Tickets


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_ticket_can_be_spent_once(clock):
    tickets = Tickets(10, 5, clock)
    value = tickets.issue()
    assert [tickets.spend(value), tickets.spend(value)] == [True, False]


def test_a_ticket_expires(clock):
    tickets = Tickets(10, 5, clock)
    first, second = tickets.issue(), tickets.issue()
    clock.now += 9.9
    assert tickets.spend(first)
    clock.now += 0.1
    assert not tickets.spend(second)
    assert len(tickets) == 0


def test_renewing_restarts_the_lifetime(clock):
    tickets = Tickets(10, 5, clock)
    value = tickets.issue()
    for _ in range(5):
        clock.now += 8
        assert tickets.renew(value)
    clock.now += 10
    assert not tickets.renew(value)


def test_one_too_many_takes_the_place_of_the_one_unused_longest(clock):
    tickets = Tickets(10, 3, clock)
    first, second, third = (tickets.issue() for _ in range(3))
    tickets.renew(first)
    tickets.issue()
    assert [tickets.renew(value) for value in (first, second, third)] == [True, False, True]
    assert len(tickets) == 3


@pytest.mark.parametrize("value", ["", "no such ticket", "\udcff"])
def test_what_was_never_issued_is_not_honoured(value, clock):
    tickets = Tickets(10, 5, clock)
    tickets.issue()
    assert not tickets.renew(value)
    assert not tickets.spend(value)


def test_values_are_long_random_and_fit_a_url_and_a_cookie(clock):
    tickets = Tickets(10, 100, clock)
    values = {tickets.issue() for _ in range(100)}
    assert len(values) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", value) for value in values)


def test_values_are_not_kept(clock):
    tickets = Tickets(10, 5, clock)
    value = tickets.issue()
    assert value not in repr(vars(tickets))
