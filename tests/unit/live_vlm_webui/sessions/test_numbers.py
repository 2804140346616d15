from __future__ import annotations

import json
import random
import statistics

import pytest

from live_vlm_webui.sessions.numbers import Stopwatch, Tally, Window


def run_watch(pieces=(100.25, 100.3, 100.45), tokens=None, finished=100.5):
    watch = Stopwatch(decoded=99.99, taken=100.0, frames_skipped=7)
    watch.encoding, watch.encoded, watch.sent = 100.001, 100.003, 100.004
    for at in pieces:
        watch.text_came(at)
    return watch.numbers(finished, tokens)


def test_the_numbers_of_an_answer_are_milliseconds_between_its_stations():
    told = run_watch(tokens=21).to_json()

    assert told == {
        "capture_age": 10.0,
        "queue": 1.0,
        "encode": 2.0,
        "overhead": 4.0,
        "first_token": 246.0,
        "total": 500.0,
        "tokens": 21,
        "tokens_per_second": 100.0,
        "frames_skipped": 7,
    }


@pytest.mark.parametrize("pieces", [(100.25,), (100.25, 100.25), (100.25, 100.2501), (100.25, 100.28, 100.299)])
def test_text_that_arrives_at_once_tells_no_speed(pieces):
    numbers = run_watch(pieces=pieces, tokens=31)
    assert numbers.tokens == 31
    assert numbers.tokens_per_second is None


@pytest.mark.parametrize("tokens", [None, 0])
def test_tokens_that_are_not_reported_are_not_invented(tokens):
    numbers = run_watch(tokens=tokens)

    assert numbers.tokens == tokens
    assert numbers.tokens_per_second is None


def test_the_percentiles_are_those_of_the_last_values():
    window = Window(size=100)
    for value in [1000.0] * 50 + list(range(1, 101)):
        window.add(float(value))

    assert window.to_json() == {"p50": 50.0, "p95": 95.0, "p99": 99.0}


def test_the_percentiles_agree_with_a_sort_of_the_same_values():
    random.seed(4)
    values = [random.choice([1.0, 2.0, random.random()]) for _ in range(1000)]
    window = Window(size=256)
    for value in values:
        window.add(value)

    ranked = sorted(values[-256:])
    assert [window.percentile(percent) for percent in (50, 95, 99)] == [ranked[127], ranked[243], ranked[253]]
    assert window.percentile(50) == statistics.median_low(values[-256:])


def test_before_the_first_value_there_is_no_percentile():
    assert Window().to_json() == {"p50": None, "p95": None, "p99": None}


def test_one_value_is_every_percentile():
    window = Window()
    window.add(5.0)

    assert window.to_json() == {"p50": 5.0, "p95": 5.0, "p99": 5.0}


def test_the_tally_leaves_out_what_an_answer_does_not_know():
    tally = Tally()
    tally.add(run_watch(tokens=None))
    tally.add(run_watch(tokens=21))

    told = json.loads(json.dumps(tally.to_json()))
    assert told["answers"] == 2
    assert told["total"]["p50"] == 500.0
    assert told["tokens_per_second"]["p99"] == 100.0


def test_holding_back_saves_the_calls_that_the_model_could_have_answered_meanwhile():
    tally = Tally()
    tally.add(run_watch())  # half a second
    tally.held_back(seconds=10.0, frames=300)

    assert tally.to_json()["calls_saved"] == 20


def test_no_more_calls_are_saved_than_there_were_frames_to_ask_about():
    tally = Tally()
    tally.add(run_watch())
    tally.held_back(seconds=10.0, frames=3)

    assert tally.to_json()["calls_saved"] == 3


def test_nothing_is_claimed_to_be_saved_before_the_first_answer():
    tally = Tally()
    tally.held_back(seconds=10.0, frames=300)

    assert tally.to_json()["calls_saved"] == 0


def test_another_model_or_prompt_starts_the_percentiles_again_but_not_the_count():
    tally = Tally()
    tally.add(run_watch(tokens=21), of="a model")
    tally.add(run_watch(tokens=None), of="another")

    told = tally.to_json()
    assert told["answers"] == 2
    assert told["tokens_per_second"]["p50"] is None
    assert told["total"]["p50"] == 500.0
