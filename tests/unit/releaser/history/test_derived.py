from __future__ import annotations

import datetime as dt

from releaser.history.derived import day_of, epoch_for

NOON = int(dt.datetime(2026, 1, 1, 12, tzinfo=dt.timezone.utc).timestamp())
MIDNIGHT = NOON - 12 * 3600


def test_a_release_commit_is_from_the_beginning_of_the_day() -> None:
    assert epoch_for(MIDNIGHT - 1, NOON) == epoch_for(MIDNIGHT - 1, NOON + 3600) == MIDNIGHT
    assert day_of(MIDNIGHT) == dt.date(2026, 1, 1)


def test_it_is_never_older_than_its_parent() -> None:
    assert epoch_for(NOON - 60, NOON) == NOON - 60
