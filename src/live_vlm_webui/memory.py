"""Free memory that the C library holds back."""

from __future__ import annotations

import ctypes
import sys


def give_back_memory() -> None:
    """Make the C library return free memory to the system, which takes some milliseconds. Only glibc has such a call.

    glibc keeps the memory that packets, frames and the describer's networks used for a moment, in pieces too small to
    be reused, so the process grows although it uses no more.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)
