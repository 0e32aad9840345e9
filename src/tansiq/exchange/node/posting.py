"""Sealed bodies of one lane that wait to be handed in as mails, apart from whatever else sends.

What comes within a moment goes to each peer in one mail. Nothing of it is stored: what a kill loses, or what finds no
room here, is mailed again as what no server took over is (section 8.4). What waits here already is not put twice. Since
it may wait for minutes, whether it may leave is decided again when it does (section 8.3).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from tansiq.exchange.body import Lane
from tansiq.exchange.node.leaving import Attempt

ROOM_BYTES = 64 << 20
GATHERED_SECONDS = {Lane.URGENT: 1.0, Lane.NORMAL: 5.0, Lane.BULK: 5.0}
"""How long what came first waits for what may go in the same mail."""
LOOK_SECONDS = 20.0
PORTION_BYTES = 6 << 20
"""What is decided and handed in at once: with its armour no more than one mail, which a slow server takes soon."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What is to go to one peer.

    Attributes:
        made: the attempts of which ``sealed`` are the bytes; empty where they have no position.
        epoch: of the roster under which it was decided and sealed.
        is_receipt: it has no position, and may not leave at any time.
        digest: of the file of which ``sealed`` are chunks.
    """

    peer: str
    address: str
    sealed: tuple[bytes, ...] = field(repr=False)
    made: tuple[Attempt, ...] = field(default=(), repr=False)
    epoch: int = 0
    is_receipt: bool = False
    digest: str = ""


Position = tuple[str, str, int]
"""Peer, incarnation and first position of an attempt on one lane."""


def positions(posted: Posted) -> set[Position]:
    return {(posted.peer, one.incarnation, one.first) for one in posted.made}


class Posting:
    """One lane's. Safe between threads."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self._waiting: list[Posted] = []
        self._positions: set[Position] = set()
        self._size_bytes = 0
        self._changing = threading.Lock()
        self._came = threading.Event()

    def put(self, posted: Posted) -> bool:
        """Whether there was room for it."""
        with self._changing:
            posted = self._anew(posted)
            if not posted.sealed:
                return True
            size = sum(map(len, posted.sealed))
            if self._size_bytes and self._size_bytes + size > ROOM_BYTES:
                return False
            self._waiting.append(posted)
            self._positions |= positions(posted)
            self._size_bytes += size
        self._came.set()
        return True

    def taken(self, ending: threading.Event) -> list[Posted]:
        """What waits, a moment after the first of it came; nothing, where nothing came for a while."""
        if self._came.wait(LOOK_SECONDS):
            ending.wait(GATHERED_SECONDS[self.lane])
        self._came.clear()
        return self.rest()

    def rest(self) -> list[Posted]:
        """What waits now; it waits no more."""
        with self._changing:
            waiting, self._waiting, self._positions, self._size_bytes = self._waiting, [], set(), 0
        return waiting

    def _anew(self, posted: Posted) -> Posted:
        """Without what waits here since a mail server began to keep it waiting."""
        if self._positions.isdisjoint(positions(posted)):
            return posted
        pairs = zip(posted.sealed, posted.made, strict=True)
        fresh = [(data, one) for data, one in pairs if (posted.peer, one.incarnation, one.first) not in self._positions]
        return replace(posted, sealed=tuple(data for data, _ in fresh), made=tuple(one for _, one in fresh))

    def wake(self) -> None:
        self._came.set()


def grouped(posted: Iterable[Posted]) -> dict[str, list[Posted]]:
    """By peer, in the order in which they came."""
    found: dict[str, list[Posted]] = {}
    for one in posted:
        found.setdefault(one.peer, []).append(one)
    return found


def portions(posted: Iterable[Posted]) -> Iterator[list[Posted]]:
    """One peer's, a body each, as many together as are handed in at once."""
    portion: list[Posted] = []
    size = 0
    for one in posted:
        for at, data in enumerate(one.sealed):
            if portion and size + len(data) > PORTION_BYTES:
                yield portion
                portion, size = [], 0
            portion.append(replace(one, sealed=(data,), made=one.made[at : at + 1]))
            size += len(data)
    if portion:
        yield portion
