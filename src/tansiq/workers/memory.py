"""What a process of many threads that mostly wait does to take little memory."""

from __future__ import annotations

import ctypes
import sys

M_ARENA_MAX = -8  # malloc.h
ARENAS = 2


def share_among_threads() -> bool:
    """Have all threads take their memory from the same few places, instead of each from one of its own (glibc).

    To be called before the threads begin. Returns: whether the library of this system knows of that.
    """
    if sys.platform != "linux":
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS))
    except (AttributeError, OSError):
        return False
