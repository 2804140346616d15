"""Random values that are valid for a limited time: cookies of signed-in browsers, and one-time codes."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

VALUE_BYTES = 24
"""Random bytes in each value; 32 characters."""


class Tickets:
    """Tickets that expire. Only hashes of their values are kept, so lookups do not leak them by their duration.

    Args:
        lifetime: Seconds for which a ticket is valid.
        most: How many are valid at a time; one more replaces the least recently used.
        clock: A monotonic clock, in seconds.
    """

    def __init__(self, lifetime: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.lifetime = lifetime
        self._most = most
        self._clock = clock
        self._ends: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ends)

    def issue(self) -> str:
        """Create a ticket of letters, digits, ``-`` and ``_``."""
        value = secrets.token_urlsafe(VALUE_BYTES)
        self._ends[_digest(value)] = self._clock() + self.lifetime
        if len(self._ends) > self._most:
            self._ends.popitem(last=False)
        return value

    def renew(self, value: str) -> bool:
        """Return whether ``value`` is valid; if so, restart its lifetime."""
        if not self.spend(value):
            return False
        self._ends[_digest(value)] = self._clock() + self.lifetime
        return True

    def spend(self, value: str) -> bool:
        """Return whether ``value`` is valid, and invalidate it."""
        end = self._ends.pop(_digest(value), None)
        return end is not None and self._clock() < end


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest()
