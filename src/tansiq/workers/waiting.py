"""Waiting for the time or for a signal, whichever comes first: processes that are told to end do so at once."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
HEEDED = (*ENDING, signal.SIGCHLD)
ANY = 4096


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals that came, as bytes of a pipe: nothing runs in the middle of something else."""

    pipe: int

    def wait(self, seconds: float) -> bool:
        """True when the process is to end; False when the time is over, or a child's state changed."""
        if not select.select([self.pipe], [], [], max(seconds, 0))[0]:
            return False
        return not ENDING.isdisjoint(os.read(self.pipe, ANY))


@contextmanager
def signals() -> Iterator[Signals]:
    """Take SIGINT, SIGTERM, SIGHUP and SIGCHLD from the pipe while inside. In the main thread only."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = {number: signal.signal(number, _noted) for number in HEEDED}
    woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield Signals(reading)
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _noted(number: int, frame: object) -> None:
    """The pipe has it already; without a handler the process would end, or never hear of it."""
