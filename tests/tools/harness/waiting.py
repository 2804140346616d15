"""Waiting for what another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 240
"""Seconds to wait for what takes a few on an idle machine."""


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds, such as a file being there."""
    ends = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > ends:
            raise AssertionError(f"waited {PATIENCE} s for {what}")
        time.sleep(0.02)
