"""What is counted in all sessions, for Prometheus."""

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
    "capture_age": "From decoding a frame to taking it for a question",
    "queue": "From taking a frame to an encoder that is free",
    "encode": "Scaling and compressing the frames of a question",
    "overhead": "From taking a decoded frame to the request on its way",
    "first_token": "From the request on its way to the first text of the answer",
    "total": "From taking a frame to the end of the answer",
}
"""What is timed: the names are those of an answer's ``numbers``, which are in milliseconds."""


class Metrics:
    """Counts what happens in all sessions, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self.dropped = Counter(
            "live_vlm_viewers_dropped",
            "Browsers that were disconnected, as they read too slowly",
            registry=self.registry,
        )
        self._asked = Counter("live_vlm_frames_asked", "Frames that were asked about", registry=self.registry)
        self._answers = Counter("live_vlm_answers", "Answers that came to their end", registry=self.registry)
        self._failures = Counter(
            "live_vlm_failures", "Failures of models and cameras, as told to browsers", ["code"], registry=self.registry
        )
        self._latencies = {
            name: Histogram(f"live_vlm_{name}_seconds", text, buckets=SECONDS, registry=self.registry)
            for name, text in LATENCIES.items()
        }
        ProcessCollector(registry=self.registry)

    def read_off(self, sessions: Sessions, viewers: Sized) -> None:
        """Show what ``sessions`` are like, and how many ``viewers`` there are, whenever somebody asks."""
        Gauge("live_vlm_viewers", "Browsers that watch", registry=self.registry).set_function(lambda: len(viewers))
        self.registry.register(SessionFigures(sessions))

    def told(self, kind: str, fields: Mapping[str, object]) -> None:
        """Count an event that a session tells its browsers, whether it has any or not."""
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
    """What can be read off the sessions when somebody asks."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._decoded = 0
        self._counted: WeakKeyDictionary[FrameSlot, int] = WeakKeyDictionary()

    def describe(self) -> Iterator[Metric]:
        """The figures' names."""
        return self.collect()

    def collect(self) -> Iterator[Metric]:
        """The figures now."""
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
            "Frames of the sessions' cameras, without the last ones of cameras that went between two looks at this",
            value=self._decoded,
        )
