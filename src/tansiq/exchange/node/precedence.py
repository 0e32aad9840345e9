"""Alerts first: between two of their steps the other lanes wait while the urgent one works, and never for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tansiq.exchange.body import Lane

LONGEST_SECONDS = 0.5
"""After so long a step is made all the same: a flood of alerts must not stop the rest."""
STEP_SECONDS = 0.15
"""What a step of another lane is to take: a transaction, and a place at the process that opens."""
FIRST, LEAST, MOST = 50, 20, 200
"""Bodies of such a step: to begin with, on a machine that is very busy, on one that is not."""


class Pace:
    """How many bodies are worked on at once, so that a step takes as long as it may on this machine at this time."""

    def __init__(self) -> None:
        self._bodies = FIRST

    def step(self, lane: Lane, most: int) -> int:
        return most if lane is Lane.URGENT else min(most, self._bodies)

    def took(self, bodies: int, seconds: float) -> None:
        """A whole step says what the next may be; it grows by half at most, and shrinks at once."""
        if bodies >= self._bodies:
            wanted = int(bodies * STEP_SECONDS / max(seconds, 1e-6))
            self._bodies = max(LEAST, min(wanted, MOST, self._bodies * 3 // 2))


class Precedence:
    """All lanes of a node write one database and are opened by one process; whoever has much would keep both busy."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._working = 0

    @contextmanager
    def work(self, lane: Lane) -> Iterator[None]:
        """Inside the lane has something to do."""
        urgent = int(lane is Lane.URGENT)
        with self._changed:
            self._working += urgent
        try:
            yield
        finally:
            with self._changed:
                self._working -= urgent
                self._changed.notify_all()

    def give_way(self, lane: Lane) -> bool:
        """Before a step. Returns: whether nothing urgent is under way any more."""
        if lane is Lane.URGENT:
            return True
        with self._changed:
            return self._changed.wait_for(lambda: not self._working, LONGEST_SECONDS)
