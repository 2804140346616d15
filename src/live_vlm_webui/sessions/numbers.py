"""Timings of an answer, percentiles of the last answers, and the number of calls saved."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass

WINDOW = 256
"""The number of answers in the percentiles."""
AT_ONCE_SECONDS = 0.05
"""Text that arrives within this time was generated before: when it arrived tells nothing about the model's speed."""
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Numbers:
    """The timings of an answer, in milliseconds unless stated.

    Attributes:
        capture_age: From decoding the frame to taking it from the slot.
        queue: From taking the frame to the start of scaling and compressing.
        encode: Scaling and compressing.
        overhead: From taking the frame to sending the request: the part that is ours.
        first_token: From sending the request to the first text.
        total: From taking the frame to the end of the answer.
        tokens: The tokens of the answer, as reported by the server; None if it does not.
        tokens_per_second: From the first text to the last; None without ``tokens``, or if the text arrived at once.
        frames_skipped: The number of frames decoded since the last question and not asked about.
    """

    capture_age: float
    queue: float
    encode: float
    overhead: float
    first_token: float
    total: float
    tokens: int | None
    tokens_per_second: float | None
    frames_skipped: int

    def to_json(self) -> dict[str, object]:
        """Return the timings as sent to browsers, rounded to a hundredth."""
        return {name: round(value, 2) if isinstance(value, float) else value for name, value in vars(self).items()}


@dataclass
class Stopwatch:
    """The times of a question, as ``time.monotonic()`` in seconds, from which its numbers are computed.

    Attributes:
        decoded: When its newest frame was decoded.
        taken: When that frame was taken from the slot.
        frames_skipped: The number of frames skipped before it.
        encoding: When scaling and compressing started.
        encoded: When it ended.
        sent: When the request was sent.
        first_text: When the first text arrived.
        last_text: When the last text arrived.
        pieces: The number of pieces of text.
    """

    decoded: float
    taken: float
    frames_skipped: int
    encoding: float = 0.0
    encoded: float = 0.0
    sent: float = 0.0
    first_text: float = 0.0
    last_text: float = 0.0
    pieces: int = 0

    def text_came(self, now: float) -> None:
        """Record the arrival of a piece of text."""
        self.pieces += 1
        self.last_text = now
        if self.pieces == 1:
            self.first_text = now

    def numbers(self, finished: float, tokens: int | None) -> Numbers:
        """Return the numbers of an answer that ended at ``finished``."""
        return Numbers(
            capture_age=_milliseconds(self.decoded, self.taken),
            queue=_milliseconds(self.taken, self.encoding),
            encode=_milliseconds(self.encoding, self.encoded),
            overhead=_milliseconds(self.taken, self.sent),
            first_token=_milliseconds(self.sent, self.first_text),
            total=_milliseconds(self.taken, finished),
            tokens=tokens,
            tokens_per_second=self._pace(tokens),
            frames_skipped=self.frames_skipped,
        )

    def _pace(self, tokens: int | None) -> float | None:
        """Return tokens per second while they arrived; None if they are unknown or arrived at once."""
        seconds = self.last_text - self.first_text
        if tokens is None or tokens < 2 or seconds < AT_ONCE_SECONDS:
            return None
        return (tokens - 1) / seconds


class Window:
    """The last values of a figure, also kept sorted."""

    def __init__(self, size: int = WINDOW) -> None:
        self._values: deque[float] = deque(maxlen=size)
        self._sorted: list[float] = []

    def add(self, value: float) -> None:
        """Add a value; drop the oldest one of a full window."""
        if len(self._values) == self._values.maxlen:
            del self._sorted[bisect_left(self._sorted, self._values[0])]
        self._values.append(value)
        insort(self._sorted, value)

    def percentile(self, percent: int) -> float | None:
        """Return a percentile by the nearest-rank method; None without values."""
        if not self._sorted:
            return None
        return self._sorted[max(0, math.ceil(len(self._sorted) * percent / 100) - 1)]

    def to_json(self) -> dict[str, float | None]:
        """Return ``p50``, ``p95`` and ``p99``, rounded to a hundredth."""
        found = {f"p{percent}": self.percentile(percent) for percent in PERCENTILES}
        return {name: None if value is None else round(value, 2) for name, value in found.items()}


class Tally:
    """Running percentiles of a session's last answers of one model to one prompt, which others would distort."""

    FIGURES = ("capture_age", "overhead", "first_token", "total", "tokens_per_second")

    def __init__(self, size: int = WINDOW) -> None:
        self._size = size
        self._of: object = None
        self._windows = {name: Window(size) for name in self.FIGURES}
        self._saved = 0.0
        self.answers = 0

    def add(self, numbers: Numbers, of: object = None) -> None:
        """Add the numbers of an answer; start again if ``of``, its model and prompt, differs from the last."""
        if of != self._of:
            self._of = of
            self._windows = {name: Window(self._size) for name in self.FIGURES}
        self.answers += 1
        timings = vars(numbers)
        for name, window in self._windows.items():
            if (value := timings[name]) is not None:
                window.add(value)

    def held_back(self, seconds: float, frames: int) -> None:
        """Record that the model was free and not asked, although there were ``frames``.

        This saved as many calls as the model could have answered in that time at its median speed.
        """
        usual = self._windows["total"].percentile(50)
        if usual:
            self._saved += min(frames, 1000 * seconds / usual)

    def to_json(self) -> dict[str, object]:
        """Return percentiles by figure, the total number of answers, and calls saved, as sent to browsers."""
        return {
            **{name: window.to_json() for name, window in self._windows.items()},
            "answers": self.answers,
            "calls_saved": int(self._saved),
        }


def _milliseconds(start: float, end: float) -> float:
    return max(0.0, 1000 * (end - start))
