from __future__ import annotations

from prometheus_client import generate_latest

from live_vlm_webui.sessions.metrics import LATENCIES, Metrics


def figures(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_answers_are_counted_and_their_milliseconds_are_seconds():
    metrics = Metrics()
    metrics.told("answer.started", {"frames": 3})
    metrics.told("answer.finished", {"numbers": dict.fromkeys(LATENCIES, 40.0)})
    text = figures(metrics)
    assert "live_vlm_frames_asked_total 3.0" in text
    assert "live_vlm_answers_total 1.0" in text
    assert "live_vlm_overhead_seconds_sum 0.04\n" in text
    assert 'live_vlm_overhead_seconds_bucket{le="0.025"} 0.0' in text
    assert 'live_vlm_overhead_seconds_bucket{le="0.05"} 1.0' in text


def test_failures_are_counted_by_code():
    metrics = Metrics()
    for code in ("timeout", "timeout", "unreachable"):
        metrics.told("answer.failed", {"error": {"code": code}})
    assert 'live_vlm_failures_total{code="timeout"} 2.0' in figures(metrics)


def test_a_model_that_cannot_be_opened_is_a_failure_and_one_that_can_is_none():
    metrics = Metrics()
    metrics.told("model", {"model": None, "error": {"code": "model-missing"}})
    metrics.told("model", {"model": {}, "error": None})
    assert 'live_vlm_failures_total{code="model-missing"} 1.0' in figures(metrics)


def test_other_events_change_nothing():
    metrics = Metrics()
    before = figures(metrics).partition("process_")[0]
    metrics.told("settings", {"settings": {}})
    metrics.told("camera", {"camera": None})
    assert figures(metrics).partition("process_")[0] == before
