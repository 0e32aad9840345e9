"""No process outlives the one that started it, even if that one is killed."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tied_to(parent: int) -> Callable[[], None]:
    """What a child runs before anything else: the kernel sends it SIGTERM when ``parent`` ends, however it ends.

    On systems other than Linux a parent that is killed leaves its children behind; one that ends does not.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None).prctl  # looked up before the fork, after which little is safe

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended in between
            os._exit(1)

    return tie
