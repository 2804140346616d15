"""Prometheus metrics of all sessions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from live_vlm_webui.media.frame import FrameSlot
    from live_vlm_webui.sessions.registry import Sessions

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LATENCIES = {
    "capture_age": "From decoding a frame to choosing it for a question",
    "queue": "From choosing a frame to a free encoder",
    "encode": "Scaling and compressing the frames of a question",
    "overhead": "From choosing a decoded frame to sending the request",
    "first_token": "From sending the request to the first text of the answer",
    "total": "From choosing a frame to the end of the answer",
}
"""The histograms; their names are those of an answer's ``numbers``, which are in milliseconds."""


class Metrics:
    """Counts events of all sessions, in its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self.dropped = Counter(
            "live_vlm_viewers_dropped",
            "Browsers that were disconnected because they read too slowly",
            registry=self.registry,
        )
        self._asked = Counter("live_vlm_frames_asked", "Frames sent to models", registry=self.registry)
        self._answers = Counter("live_vlm_answers", "Complete answers", registry=self.registry)
        self._failures = Counter(
            "live_vlm_failures", "Failures of models and cameras", ["code"], registry=self.registry
        )
        self._latencies = {
            name: Histogram(f"live_vlm_{name}_seconds", text, buckets=SECONDS, registry=self.registry)
            for name, text in LATENCIES.items()
        }
        ProcessCollector(registry=self.registry)

    def read_off(self, sessions: Sessions, viewers: Sized) -> None:
        """Add the figures of ``sessions`` and the number of ``viewers``, which are read on request."""
        Gauge("live_vlm_viewers", "Connected browsers", registry=self.registry).set_function(lambda: len(viewers))
        self.registry.register(SessionFigures(sessions))

    def told(self, kind: str, fields: Mapping[str, object]) -> None:
        """Count an event of a session."""
        if kind == "answer.started":
            frames = fields["frames"]
            assert isinstance(frames, int)
            self._asked.inc(frames)
        elif kind == "answer.finished":
            numbers = fields["numbers"]
            assert isinstance(numbers, Mapping)
            self._answers.inc()
            for name, histogram in self._latencies.items():
                histogram.observe(numbers[name] / 1000)
        elif kind in {"answer.failed", "model"} and (error := fields["error"]) is not None:
            assert isinstance(error, Mapping)
            self._failures.labels(error["code"]).inc()


class SessionFigures(Collector):
    """Figures of the sessions that are computed on request."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._decoded = 0
        self._counted: WeakKeyDictionary[FrameSlot, int] = WeakKeyDictionary()

    def describe(self) -> Iterator[Metric]:
        """Return the names of the figures."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """Return the current figures."""
        cameras: dict[tuple[str, ...], int] = {}
        for session in self._sessions:
            if (camera := session.camera) is None:
                continue
            key = (camera.kind, camera.status.state)
            cameras[key] = cameras.get(key, 0) + 1
            number = camera.slot.newest.number if camera.slot.newest else 0
            self._decoded += number - self._counted.get(camera.slot, 0)
            self._counted[camera.slot] = number
        yield GaugeMetricFamily("live_vlm_sessions", "Sessions", value=len(self._sessions))
        counted = GaugeMetricFamily("live_vlm_cameras", "Cameras of sessions", labels=["kind", "state"])
        for labels, count in sorted(cameras.items()):
            counted.add_metric(labels, count)
        yield counted
        yield CounterMetricFamily(
            "live_vlm_frames_decoded",
            "Decoded frames of the sessions' cameras; the last frames of a removed camera may be missing",
            value=self._decoded,
        )
