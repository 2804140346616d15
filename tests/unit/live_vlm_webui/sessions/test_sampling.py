from __future__ import annotations

from dataclasses import dataclass

import pytest

from live_vlm_webui.sessions.sampling import (
    Asked,
    Due,
    EveryFrames,
    EverySeconds,
    Free,
    OnChange,
    Reel,
    too_old,
)

ASKED = Asked(number=10, at=100.0)


@dataclass(frozen=True)
class Shot:
    number: int
    decoded_at: float


@pytest.mark.parametrize("rule", [Free(), EveryFrames(30), EverySeconds(5.0), OnChange(0.1, 30.0)])
def test_the_first_frame_of_a_camera_is_asked_about_at_once(rule):
    assert rule.due(None) == Due(1, float("-inf"))


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        (Free(), Due(11, 100.0)),
        (EveryFrames(1), Due(11, 100.0)),
        (EveryFrames(30), Due(40, 100.0)),
        (EverySeconds(2.5), Due(11, 102.5)),
    ],
)
def test_the_next_question_waits_for_what_its_rule_says(rule, due):
    assert rule.due(ASKED) == due


def test_a_changed_picture_is_asked_about_and_an_unchanged_one_is_not():
    rule = OnChange(threshold=0.1, max_silence=30.0)

    assert rule.wants(0.11, ASKED, now=101.0)
    assert not rule.wants(0.1, ASKED, now=101.0)


def test_an_unchanged_picture_is_asked_about_after_the_longest_silence():
    rule = OnChange(threshold=0.1, max_silence=30.0)

    assert not rule.wants(0.0, ASKED, now=129.9)
    assert rule.wants(0.0, ASKED, now=130.0)


def test_the_picture_is_compared_at_a_limited_rate():
    assert OnChange(0.1, 30.0).due(ASKED).at == pytest.approx(100.2)


def test_a_frame_is_too_old_beyond_its_age_alone():
    assert not too_old(decoded_at=100.0, now=105.0, max_frame_age=5.0)
    assert too_old(decoded_at=100.0, now=105.1, max_frame_age=5.0)


def reel_after(times, length=4, spacing=1.0):
    reel = Reel(length, spacing)
    for number, at in enumerate(times, 1):
        reel.offer(Shot(number, at))
    return reel


def test_a_reel_keeps_frames_at_their_distance_and_the_newest_of_them():
    reel = reel_after([number / 10 for number in range(101)])  # ten seconds at 10 frames a second

    assert [shot.decoded_at for shot in reel.with_newest(Shot(999, 10.4))] == [7.0, 8.0, 9.0, 10.4]


def test_a_reel_says_when_the_next_frame_is_wanted():
    assert Reel(4, 1.0).due() == float("-inf")
    assert reel_after([5.0, 5.5]).due() == 6.0


def test_the_newest_frame_is_never_in_a_question_twice():
    reel = reel_after([1.0, 2.0, 3.0, 4.0])

    assert [shot.number for shot in reel.with_newest(Shot(4, 4.0))] == [1, 2, 3, 4]


def test_frames_from_before_a_silence_are_not_shown_with_those_after_it():
    reel = reel_after([1.0, 2.0, 3.0, 60.0])

    assert [shot.decoded_at for shot in reel.with_newest(Shot(9, 61.0))] == [60.0, 61.0]
    assert [shot.decoded_at for shot in reel_after([1.0, 2.0]).with_newest(Shot(9, 60.0))] == [60.0]


def test_a_question_waits_until_the_reel_is_full():
    assert Reel(3, 1.0).ready_at() == float("inf")
    assert reel_after([10.0, 11.0], length=3).ready_at() > 12.0
    assert reel_after([10.0, 11.0, 12.0], length=3).ready_at() == float("-inf")


def test_a_question_does_not_wait_for_ever_on_a_camera_of_one_picture():
    assert reel_after([10.0], length=3).ready_at() == 13.0


def test_a_reel_never_holds_more_than_a_question_needs():
    reel = reel_after([float(number) for number in range(1000)], length=2)

    assert len(reel.with_newest(Shot(1001, 1001.0))) == 2
