"""Alerts first: between two of their steps the other lanes wait while the urgent one works, and never for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tansiq.exchange.body import Lane

LONGEST_SECONDS = 0.5
"""After so long a step is made all the same: a flood of alerts must not stop the rest."""
STEP = 50
"""Bodies of another lane at once: a transaction, and a place at the process that opens, for some tenths of a second."""


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


def step(lane: Lane, most: int) -> int:
    """How much of a lane is done at once."""
    return most if lane is Lane.URGENT else min(most, STEP)
