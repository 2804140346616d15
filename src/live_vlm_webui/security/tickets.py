"""Random values that were handed out and are honoured for a while: signed-in browsers and one-time codes."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

VALUE_BYTES = 24
"""Of randomness in each; 32 characters."""


class Tickets:
    """Tickets that expire. Their values are not kept, only hashes: comparing takes no time that tells of them.

    Args:
        lifetime: Seconds after which a ticket is no longer honoured.
        most: How many are honoured at a time; one more takes the place of the one that was used longest ago.
        clock: Seconds, never going back.
    """

    def __init__(self, lifetime: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.lifetime = lifetime
        self._most = most
        self._clock = clock
        self._ends: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ends)

    def issue(self) -> str:
        """Make a ticket, of letters, digits, ``-`` and ``_``."""
        value = secrets.token_urlsafe(VALUE_BYTES)
        self._ends[_digest(value)] = self._clock() + self.lifetime
        if len(self._ends) > self._most:
            self._ends.popitem(last=False)
        return value

    def renew(self, value: str) -> bool:
        """Whether ``value`` is honoured; if so, its lifetime begins anew."""
        if not self.spend(value):
            return False
        self._ends[_digest(value)] = self._clock() + self.lifetime
        return True

    def spend(self, value: str) -> bool:
        """Whether ``value`` is honoured; it is not from now on."""
        end = self._ends.pop(_digest(value), None)
        return end is not None and self._clock() < end


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogateescape")).digest()
