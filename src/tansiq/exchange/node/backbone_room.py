"""How much a peer's part of the backbone takes on a lane, as its answers tell: a quota is the servers' to know.

A body that was refused once is offered again by no more than seem to fit, ever later while none does: who sealed the
whole backlog of an absent node each time would do nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 60.0
"""Before it is tried again after a refusal; a receipt of the peer says sooner that there is room."""


@dataclass(slots=True)
class _Part:
    """``most``: bodies that may be offered at once."""

    most: int
    pause: float = FIRST_PAUSE_SECONDS
    not_before: float = 0.0


class BackboneRoom:
    """Of one lane. Not stored: what is forgotten is one refusal."""

    def __init__(self, enough: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``enough``: from which on a part counts as free."""
        self._enough, self._clock = enough, clock
        self._parts: dict[str, _Part] = {}

    def free(self, peer: str) -> int:
        """Bodies that may be offered again now."""
        part = self._parts.get(peer)
        if part is None:
            return self._enough
        return part.most if part.not_before <= self._clock() else 0

    def took(self, peer: str, offered: int, refused: int) -> None:
        """What became of an attempt: it grows by half while everything fits, and shrinks at once to what did."""
        part = self._parts.get(peer)
        if refused:
            taken = offered - refused
            pause = FIRST_PAUSE_SECONDS
            if part is not None and not taken:
                pause = min(2 * part.pause, LONGEST_PAUSE_SECONDS)
            self._parts[peer] = _Part(max(1, taken), pause, self._clock() + pause)
        elif part is not None:
            part.most, part.pause, part.not_before = part.most * 3 // 2 + 1, FIRST_PAUSE_SECONDS, 0.0
            if part.most >= self._enough:
                del self._parts[peer]

    def heard(self, peer: str) -> None:
        """It takes out what waits there."""
        part = self._parts.get(peer)
        if part is not None:
            part.not_before = 0.0

    def again_in(self) -> float | None:
        """Seconds until the next part may be tried that may not now; None: there is none."""
        now = self._clock()
        waits = [part.not_before - now for part in list(self._parts.values()) if part.not_before > now]
        return min(waits, default=None)
