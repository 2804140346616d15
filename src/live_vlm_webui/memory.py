"""Keep the C library from holding back free memory."""

from __future__ import annotations

import ctypes
import os
import sys

M_ARENA_MAX = -8
"""The parameter of glibc's ``mallopt`` (malloc.h)."""
ARENAS = 2


def share_memory() -> None:
    """Let all threads allocate from ``ARENAS`` pools: call it before threads start. Only glibc has such a call.

    glibc gives threads a pool each, up to eight per core, and what is free in one is of no use to the others. With one
    session that was 5 MB. The threads seldom allocate at the same time, because Python runs one at a time.
    """
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        limit = getattr(ctypes.CDLL(None), "mallopt", None)
        if limit:
            limit(M_ARENA_MAX, ARENAS)


def give_back_memory() -> None:
    """Make the C library return free memory to the system, which takes some milliseconds. Only glibc has such a call.

    glibc keeps the memory that packets, frames and the describer's networks used for a moment, in pieces too small to
    be reused, so the process grows although it uses no more.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)
