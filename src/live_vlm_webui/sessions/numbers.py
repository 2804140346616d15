"""What an answer took, what the last answers took, and what was not asked."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass

WINDOW = 256
"""How many answers the running percentiles are of."""
AT_ONCE_SECONDS = 0.005
"""Text that comes within so short a time was ready before, and says nothing of how fast it was made."""
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Numbers:
    """What one answer took, in milliseconds unless said.

    Attributes:
        capture_age: From decoded to taken.
        queue: From taken to the beginning of scaling and compressing.
        encode: Scaling and compressing.
        overhead: From taken to the request's leaving: all that is ours.
        first_token: From the request's leaving to the first text.
        total: From taken to the end of the answer.
        tokens: Of the answer, as its server counts them; None if it does not.
        tokens_per_second: From the first text to the last; None without ``tokens``.
        frames_skipped: Decoded since the last question and not asked about; a count.
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
        """As browsers are told: rounded to a hundredth."""
        return {name: round(value, 2) if isinstance(value, float) else value for name, value in vars(self).items()}


@dataclass
class Stopwatch:
    """The times of one question, from which its numbers come; ``time.monotonic()`` in seconds.

    Attributes:
        decoded: When the newest of its frames was.
        taken: When that frame was taken from the slot.
        frames_skipped: Before it.
        encoding: When scaling and compressing began.
        encoded: When that ended.
        sent: When the request left.
        first_text: When the first text came.
        last_text: When the last text came.
        pieces: How many pieces of text came.
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
        """Note a piece of text."""
        self.pieces += 1
        self.last_text = now
        if self.pieces == 1:
            self.first_text = now

    def numbers(self, finished: float, tokens: int | None) -> Numbers:
        """What the answer took that ended at ``finished``."""
        return Numbers(
            capture_age=_milliseconds(self.decoded, self.taken),
            queue=_milliseconds(self.taken, self.encoding),
            encode=_milliseconds(self.encoding, self.encoded),
            overhead=_milliseconds(self.taken, self.sent),
            first_token=_milliseconds(self.sent, self.first_text),
            total=_milliseconds(self.taken, finished),
            tokens=tokens,
            tokens_per_second=self._pace(tokens, finished),
            frames_skipped=self.frames_skipped,
        )

    def _pace(self, tokens: int | None, finished: float) -> float | None:
        """Tokens a second while they came; over the whole request if they came at once."""
        if not tokens:
            return None
        count, seconds = (tokens - 1, self.last_text - self.first_text)
        if self.pieces < 2 or count < 1 or seconds < AT_ONCE_SECONDS:
            count, seconds = tokens, finished - self.sent
        return count / seconds if seconds > 0 else None


class Window:
    """The last values of one figure, kept in order too."""

    def __init__(self, size: int = WINDOW) -> None:
        self._values: deque[float] = deque(maxlen=size)
        self._sorted: list[float] = []

    def add(self, value: float) -> None:
        """Take the newest value; the oldest of a full window leaves."""
        if len(self._values) == self._values.maxlen:
            del self._sorted[bisect_left(self._sorted, self._values[0])]
        self._values.append(value)
        insort(self._sorted, value)

    def percentile(self, percent: int) -> float | None:
        """By the nearest rank; None without values."""
        if not self._sorted:
            return None
        return self._sorted[max(0, math.ceil(len(self._sorted) * percent / 100) - 1)]

    def to_json(self) -> dict[str, float | None]:
        """``p50``, ``p95`` and ``p99``, rounded to a hundredth."""
        found = {f"p{percent}": self.percentile(percent) for percent in PERCENTILES}
        return {name: None if value is None else round(value, 2) for name, value in found.items()}


class Tally:
    """Running figures over a session's last answers."""

    FIGURES = ("capture_age", "overhead", "first_token", "total", "tokens_per_second")

    def __init__(self, size: int = WINDOW) -> None:
        self._windows = {name: Window(size) for name in self.FIGURES}
        self._saved = 0.0
        self.answers = 0

    def add(self, numbers: Numbers) -> None:
        """Take the numbers of an answer."""
        self.answers += 1
        for name, window in self._windows.items():
            value = getattr(numbers, name)
            if value is not None:
                window.add(value)

    def held_back(self, seconds: float, frames: int) -> None:
        """Note that the model was free and not asked, although there were ``frames`` to ask about.

        That saved as many calls as the model could have answered meanwhile at its usual pace.
        """
        usual = self._windows["total"].percentile(50)
        if usual:
            self._saved += min(frames, 1000 * seconds / usual)

    def to_json(self) -> dict[str, object]:
        """As browsers are told: percentiles by figure, how many answers in all, and calls saved."""
        return {
            **{name: window.to_json() for name, window in self._windows.items()},
            "answers": self.answers,
            "calls_saved": int(self._saved),
        }


def _milliseconds(start: float, end: float) -> float:
    return max(0.0, 1000 * (end - start))
