"""How many requests a key, a person or a guest's address may make.

Guessing is not the worry here: keys have 256 random bits, and wrong ones are counted as sign-in counts them. This holds
back a program in a loop. The count is of this process and its memory: a write a request would cost more than most
requests do, and a node has one web process.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

REMEMBERED = 20_000
"""Askers; whoever was silent longest is forgotten first."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` requests at once, refilled at ``per_second``."""

    burst: float
    per_second: float


KNOWN = Rate(burst=300, per_second=20)
GUEST = Rate(burst=120, per_second=5)


class Pace:
    def __init__(self) -> None:
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def spend(self, asker: str, rate: Rate, *, at: float, cost: float = 1.0) -> int:
        """Count a request.

        Args:
            at: seconds, of any one clock.
            cost: in requests; more than a burst never passes.

        Returns: 0 when it may be answered now, else after how many whole seconds; it is not counted then.
        """
        with self._lock:
            spent, last = self._spent.pop(asker, (0.0, at))
            spent = max(0.0, spent - max(0.0, at - last) * rate.per_second)
            beyond = spent + cost - rate.burst
            self._spent[asker] = (spent if beyond > 0 else spent + cost, max(at, last))
            if len(self._spent) > REMEMBERED:
                self._spent.popitem(last=False)
        return math.ceil(beyond / rate.per_second) if beyond > 0 else 0

    def forget(self) -> None:
        with self._lock:
            self._spent.clear()


PACE = Pace()
