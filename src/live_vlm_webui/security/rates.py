"""Rate limits: token buckets, one per client, in a table of bounded size."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_KEPT = 4096


class TokenBuckets:
    """Token buckets that allow each client ``burst`` actions at once and ``rate`` per second in the long run.

    The most recently used buckets are kept; a client whose bucket was dropped starts with a full one.

    Args:
        rate: Tokens added per second.
        burst: Tokens in a full bucket.
        most: How many buckets are kept.
        clock: A monotonic clock, in seconds.
    """

    def __init__(
        self, rate: float, burst: float, most: int = MOST_KEPT, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, who: str) -> float:
        """Return the seconds until ``who`` may act again; 0.0 for now."""
        missing = 1.0 - self._level(who, self._clock())
        return max(0.0, missing / self._rate)

    def take(self, who: str) -> float:
        """Take a token of ``who`` if there is one.

        Returns:
            0.0 if there was one; else the seconds until the next.
        """
        now = self._clock()
        level = self._level(who, now)
        if level < 1.0:
            return (1.0 - level) / self._rate
        self._buckets[who] = (level - 1.0, now)
        self._buckets.move_to_end(who)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return 0.0

    def _level(self, who: str, now: float) -> float:
        level, at = self._buckets.get(who, (self._burst, now))
        return min(self._burst, level + (now - at) * self._rate)
