"""When the model is asked, and about which frames: rules alone, without clocks, tasks or pixels.

All times are ``time.monotonic()`` in seconds; all frame numbers are those of one camera's slot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

CHANGE_SECONDS = 0.2
"""How often the picture is compared with the last one that was asked about."""
REEL_SLACK_SECONDS = 1.0


@dataclass(frozen=True)
class Asked:
    """The last question.

    Attributes:
        number: Of its newest frame.
        at: When that frame was taken from the slot.
    """

    number: int
    at: float


@dataclass(frozen=True)
class Due:
    """What the next question has to wait for.

    Attributes:
        number: The first frame that may be asked about.
        at: The earliest time.
    """

    number: int
    at: float


class Sampling(Hashable, Protocol):
    """A rule for when to ask."""

    def due(self, asked: Asked | None) -> Due:
        """What to wait for after ``asked``; None before the first question about this camera."""
        ...

    def to_json(self) -> dict[str, object]:
        """As browsers tell it and are told."""
        ...


FIRST = Due(1, float("-inf"))


@dataclass(frozen=True)
class Free:
    """As soon as the model is free, about the newest frame."""

    def due(self, asked: Asked | None) -> Due:
        """The frame after the last."""
        return Due(asked.number + 1, asked.at) if asked else FIRST

    def to_json(self) -> dict[str, object]:
        """As browsers tell it and are told."""
        return {"mode": "free"}


@dataclass(frozen=True)
class EveryFrames:
    """Every so many frames, if the model is free by then.

    Attributes:
        every: Frames from one question to the next.
    """

    every: int

    def due(self, asked: Asked | None) -> Due:
        """The frame ``every`` after the last."""
        return Due(asked.number + self.every, asked.at) if asked else FIRST

    def to_json(self) -> dict[str, object]:
        """As browsers tell it and are told."""
        return {"mode": "frames", "every": self.every}


@dataclass(frozen=True)
class EverySeconds:
    """Every so many seconds, if the model is free by then.

    Attributes:
        every: Seconds from one question to the next.
    """

    every: float

    def due(self, asked: Asked | None) -> Due:
        """A newer frame, ``every`` seconds after the last."""
        return Due(asked.number + 1, asked.at + self.every) if asked else FIRST

    def to_json(self) -> dict[str, object]:
        """As browsers tell it and are told."""
        return {"mode": "seconds", "every": self.every}


@dataclass(frozen=True)
class OnChange:
    """When the picture differs from the last one that was asked about, or none was for too long.

    Attributes:
        threshold: How much must differ, 0 to 1, as ``scene_change.difference`` measures it.
        max_silence: Seconds after which the newest frame is asked about even if nothing changed.
    """

    threshold: float
    max_silence: float

    def due(self, asked: Asked | None) -> Due:
        """A newer frame, when the picture is next compared."""
        return Due(asked.number + 1, asked.at + CHANGE_SECONDS) if asked else FIRST

    def wants(self, difference: float, asked: Asked, now: float) -> bool:
        """Whether a picture that differs by ``difference``, 0 to 1, is asked about."""
        return difference > self.threshold or now - asked.at >= self.max_silence

    def to_json(self) -> dict[str, object]:
        """As browsers tell it and are told."""
        return {"mode": "change", "threshold": self.threshold, "max_silence": self.max_silence}


def too_old(decoded_at: float, now: float, max_frame_age: float) -> bool:
    """Whether a frame is not worth a question any more."""
    return now - decoded_at > max_frame_age


class Dated(Protocol):
    """What a reel holds."""

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
    """The last frames at a distance of ``spacing``, for a question about motion.

    Frames are held as they were decoded: none is converted before a question is certain.

    Args:
        length: How many frames a question has, 2 or more.
        spacing: Seconds from one to the next.
    """

    def __init__(self, length: int, spacing: float) -> None:
        self.length = length
        self.spacing = spacing
        self._frames: deque[FrameT] = deque(maxlen=length)

    def offer(self, frame: FrameT) -> None:
        """Keep ``frame`` if it is far enough from the last; after a gap, start anew with it."""
        if self._frames:
            if frame.decoded_at < self.due():
                return
            if self._broken_before(frame):
                self._frames.clear()
        self._frames.append(frame)

    def due(self) -> float:
        """When the next frame is wanted; a frame decoded earlier is not kept."""
        return self._frames[-1].decoded_at + self.spacing if self._frames else float("-inf")

    def ready_at(self) -> float:
        """When to ask at the latest, even if the camera gave fewer frames than wanted."""
        if not self._frames:
            return float("inf")
        if len(self._frames) == self.length:
            return float("-inf")
        return self._frames[0].decoded_at + (self.length - 1) * self.spacing + REEL_SLACK_SECONDS

    def with_newest(self, newest: FrameT) -> tuple[FrameT, ...]:
        """The frames of a question, oldest first, ``newest`` last; those nearest to it give way to it."""
        if self._frames and self._broken_before(newest):
            return (newest,)
        earlier = [frame for frame in self._frames if newest.decoded_at - frame.decoded_at >= self.spacing]
        return (*earlier[-(self.length - 1) :], newest)

    def clear(self) -> None:
        """Let go of all frames."""
        self._frames.clear()

    def _broken_before(self, frame: FrameT) -> bool:
        """Whether the camera was silent for so long before ``frame`` that what came earlier shows another moment."""
        return frame.decoded_at - self._frames[-1].decoded_at > 2 * self.spacing + REEL_SLACK_SECONDS
