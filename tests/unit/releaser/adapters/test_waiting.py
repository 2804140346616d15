"""Waiting for what was published, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from unhurried_clock import UnhurriedClock

from releaser.adapters.installers.pip import explained, until_pip_finds
from releaser.adapters.waiting import WaitLimits, wait_for
from releaser.core.activity import Activity, bound
from releaser.errors import CommandError, InterruptedRunError, ServiceError, WaitTimeoutError

LIMITS = WaitLimits(timeout=1800, first_delay=0.2, longest_delay=15)


@pytest.fixture
def clock() -> UnhurriedClock:
    return UnhurriedClock()


def waits(clock: UnhurriedClock, holds: Callable[[], bool], limits: WaitLimits = LIMITS) -> list[float]:
    with bound(Activity(clock=clock)):
        wait_for("PyPI", "demo 1.0.0", holds, limits)
    return clock.waits


def test_pauses_grow_up_to_a_limit(clock: UnhurriedClock) -> None:
    looks = iter([False] * 9 + [True])

    assert waits(clock, lambda: next(looks)) == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 15, 15]


def test_what_is_there_already_takes_no_pause_and_no_time(clock: UnhurriedClock) -> None:
    assert waits(clock, lambda: True, WaitLimits(timeout=0, first_delay=1, longest_delay=1)) == []


def test_the_last_look_is_at_the_end_of_the_time(clock: UnhurriedClock) -> None:
    looked: list[float] = []

    def shows() -> bool:
        looked.append(clock.time)
        return False

    with pytest.raises(WaitTimeoutError, match=r"PyPI does not show demo 1\.0\.0 after 5 s\n") as caught:
        waits(clock, shows, WaitLimits(timeout=5, first_delay=2, longest_delay=60))

    assert looked == [0, 2, 5]
    assert caught.value.remedy.startswith("Rerun the command")
    assert caught.value.exit_code == 5


def test_the_wait_is_told(clock: UnhurriedClock) -> None:
    told: list[str] = []
    looks = iter([False, False, True])

    with bound(Activity(told.append, clock=clock)):
        wait_for("PyPI", "demo 1.0.0", lambda: next(looks), WaitLimits(30, 1, 15))

    assert told == [
        "waiting for PyPI to show demo 1.0.0: 0 s of at most 30 s",
        "waiting for PyPI to show demo 1.0.0: 1 s of at most 30 s",
    ]


def test_a_service_that_keeps_failing_is_not_waited_for_to_the_end(clock: UnhurriedClock) -> None:
    looks = []

    def fails() -> bool:
        looks.append(1)
        raise ServiceError("PyPI failed with HTTP 500")

    with pytest.raises(ServiceError, match="HTTP 500"):
        waits(clock, fails)
    assert len(looks) == 3


def test_errors_count_only_in_a_row(clock: UnhurriedClock) -> None:
    looks = iter("EENEENEEY")

    def sometimes() -> bool:
        look = next(looks)
        if look == "E":
            raise ServiceError("PyPI failed with HTTP 500")
        return look == "Y"

    assert len(waits(clock, sometimes)) == 8


def test_a_stop_ends_the_wait() -> None:
    activity = Activity()

    def stops() -> bool:
        activity.cancelled.set()
        return False

    with bound(activity), pytest.raises(InterruptedRunError):
        wait_for("PyPI", "it", stops, WaitLimits(timeout=1800, first_delay=300, longest_delay=300))


def test_pip_is_tried_until_it_finds_the_version(clock: UnhurriedClock) -> None:
    attempts = iter(["No matching distribution found for demo", "No matching distribution found for demo", None])

    def install() -> str:
        if trouble := next(attempts):
            raise CommandError(f"pip failed with exit status 1. Its last lines:\nERROR: {trouble}")
        return "sha256"

    with bound(Activity(clock=clock)):
        assert until_pip_finds("PyPI", "demo==1.0", install, LIMITS) == "sha256"
    assert len(clock.waits) == 2


@pytest.mark.parametrize(("left", "kind"), [(3, CommandError), (0, ServiceError)])
def test_a_connection_that_broke_and_was_made_again_is_an_answer_of_the_index(left: int, kind: type[Exception]) -> None:
    said = (
        f"WARNING: Retrying (Retry(total={left}, read=None)) after connection broken by 'ProxyError()': /simple/demo/\n"
        "ERROR: No matching distribution found for demo==1.0"
    )

    assert type(explained(CommandError(said))) is kind


def test_a_dependency_that_is_missing_is_not_waited_for(clock: UnhurriedClock) -> None:
    def broken() -> str:
        raise CommandError(
            "pip failed. Its last lines:\nERROR: No matching distribution found for demo-helper (from demo)"
        )

    with bound(Activity(clock=clock)), pytest.raises(CommandError, match="demo-helper"):
        until_pip_finds("PyPI", "demo==1.0", broken, LIMITS)
    assert clock.waits == []


def test_pip_that_fails_otherwise_is_not_tried_again(clock: UnhurriedClock) -> None:
    def broken() -> str:
        raise CommandError("pip failed with exit status 1. Its last lines:\nERROR: no space left")

    with bound(Activity(clock=clock)), pytest.raises(CommandError, match="no space left"):
        until_pip_finds("PyPI", "demo==1.0", broken, LIMITS)
    assert clock.waits == []
