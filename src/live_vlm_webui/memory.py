"""Memory that is free, and that the C library keeps."""

from __future__ import annotations

import ctypes
import sys


def give_back_memory() -> None:
    """Have the C library return free memory to the system; it takes some milliseconds. glibc alone has such a call.

    It keeps what packets, frames and the describer's networks needed for a moment, in pieces too small for the next
    ones, so that a process grows without holding more.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)
