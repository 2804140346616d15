"""Rules for when to ask the model and about which frames, without clocks, tasks or pixels.

Times are ``time.monotonic()`` in seconds; frame numbers are those of a camera's slot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

CHANGE_SECONDS = 0.2
"""The interval at which the picture is compared with that of the last question."""
REEL_SLACK_SECONDS = 1.0


@dataclass(frozen=True)
class Asked:
    """The last question.

    Attributes:
        number: The number of its newest frame.
        at: When that frame was taken from the slot.
    """

    number: int
    at: float


@dataclass(frozen=True)
class Due:
    """The condition for the next question.

    Attributes:
        number: The first frame that may be asked about.
        at: The earliest time.
    """

    number: int
    at: float


class Sampling(Hashable, Protocol):
    """A rule for when to ask."""

    def due(self, asked: Asked | None) -> Due:
        """Return the condition for the question after ``asked``, which is None before the first about this camera."""
        ...

    def to_json(self) -> dict[str, object]:
        """Return the rule as JSON, in the form that ``read_sampling`` reads."""
        ...


FIRST = Due(1, float("-inf"))


@dataclass(frozen=True)
class Free:
    """As soon as the model is free, about the newest frame."""

    def due(self, asked: Asked | None) -> Due:
        """Ask about the next frame."""
        return Due(asked.number + 1, asked.at) if asked else FIRST

    def to_json(self) -> dict[str, object]:
        """Return the rule as JSON, in the form that ``read_sampling`` reads."""
        return {"mode": "free"}


@dataclass(frozen=True)
class EveryFrames:
    """Every N frames, if the model is free by then.

    Attributes:
        every: Frames from one question to the next.
    """

    every: int

    def due(self, asked: Asked | None) -> Due:
        """Ask ``every`` frames after the last question."""
        return Due(asked.number + self.every, asked.at) if asked else FIRST

    def to_json(self) -> dict[str, object]:
        """Return the rule as JSON, in the form that ``read_sampling`` reads."""
        return {"mode": "frames", "every": self.every}


@dataclass(frozen=True)
class EverySeconds:
    """Every N seconds, if the model is free by then.

    Attributes:
        every: Seconds from one question to the next.
    """

    every: float

    def due(self, asked: Asked | None) -> Due:
        """Ask about a newer frame, ``every`` seconds after the last question."""
        return Due(asked.number + 1, asked.at + self.every) if asked else FIRST

    def to_json(self) -> dict[str, object]:
        """Return the rule as JSON, in the form that ``read_sampling`` reads."""
        return {"mode": "seconds", "every": self.every}


@dataclass(frozen=True)
class OnChange:
    """When the picture differs from that of the last question, or after a maximum time.

    Attributes:
        threshold: The least difference, 0 to 1, as measured by ``scene_change.difference``.
        max_silence: Seconds after which to ask even if nothing changed.
    """

    threshold: float
    max_silence: float

    def due(self, asked: Asked | None) -> Due:
        """Consider a newer frame at the next comparison."""
        return Due(asked.number + 1, asked.at + CHANGE_SECONDS) if asked else FIRST

    def wants(self, difference: float, asked: Asked, now: float) -> bool:
        """Return whether to ask about a picture that differs by ``difference``, 0 to 1."""
        return difference > self.threshold or now - asked.at >= self.max_silence

    def to_json(self) -> dict[str, object]:
        """Return the rule as JSON, in the form that ``read_sampling`` reads."""
        return {"mode": "change", "threshold": self.threshold, "max_silence": self.max_silence}


def too_old(decoded_at: float, now: float, max_frame_age: float) -> bool:
    """Return whether a frame is too old for a question."""
    return now - decoded_at > max_frame_age


class Dated(Protocol):
    """A frame, as far as a reel needs it."""

    @property
    def number(self) -> int:
        """Its number."""
        ...

    @property
    def decoded_at(self) -> float:
        """When it was decoded, in seconds."""
        ...


FrameT = TypeVar("FrameT", bound=Dated)


class Reel(Generic[FrameT]):
    """The last frames at intervals of ``spacing``, for a question about motion.

    Frames are kept as decoded and not converted before they are needed.

    Args:
        length: Frames per question, 2 or more.
        spacing: Seconds between frames.
    """

    def __init__(self, length: int, spacing: float) -> None:
        self.length = length
        self.spacing = spacing
        self._frames: deque[FrameT] = deque(maxlen=length)

    def offer(self, frame: FrameT) -> None:
        """Keep ``frame`` if it is far enough from the last; after a gap, restart with it."""
        if self._frames:
            if frame.decoded_at < self.due():
                return
            if self._broken_before(frame):
                self._frames.clear()
        self._frames.append(frame)

    def due(self) -> float:
        """Return when the next frame is needed; earlier ones are not kept."""
        return self._frames[-1].decoded_at + self.spacing if self._frames else float("-inf")

    def ready_at(self) -> float:
        """Return when to ask at the latest, even with fewer frames."""
        if not self._frames:
            return float("inf")
        if len(self._frames) == self.length:
            return float("-inf")
        return self._frames[0].decoded_at + (self.length - 1) * self.spacing + REEL_SLACK_SECONDS

    def with_newest(self, newest: FrameT) -> tuple[FrameT, ...]:
        """Return the frames of a question, oldest first, ``newest`` last, without frames too close to it."""
        if self._frames and self._broken_before(newest):
            return (newest,)
        earlier = [frame for frame in self._frames if newest.decoded_at - frame.decoded_at >= self.spacing]
        return (*earlier[-(self.length - 1) :], newest)

    def clear(self) -> None:
        """Drop all frames."""
        self._frames.clear()

    def _broken_before(self, frame: FrameT) -> bool:
        """Return whether the gap before ``frame`` is too long for earlier frames to belong to it."""
        return frame.decoded_at - self._frames[-1].decoded_at > 2 * self.spacing + REEL_SLACK_SECONDS
