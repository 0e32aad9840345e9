"""Positions of a channel: what covers which, what chains to what (sections 2, 3.2, 3.4, 6).

A body covers one position, a skip several. Both are a ``Span`` here: what positions it covers, the digest before it and
the digest at its end. ``Positions`` is what a store has to answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from tansiq.exchange.body import Lane, Placed, Skip
from tansiq.exchange.values import EMPTY_DIGEST, digest, length_prefixed

ORDER_OF_LOSS = (Lane.BULK, Lane.NORMAL)
"""Which lane is dropped first at a limit (section 2). ``urgent`` is not in it: it waits."""
KEPT = timedelta(days=90)
"""How long bodies, and digests of positions, are kept after the receipt that covers them (section 8.6)."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What may wait on a channel (section 16). On the receiving side: what may lie above a gap."""

    bodies: int
    size_bytes: int

    def has_room(self, *, bodies: int, size_bytes: int, adding_bytes: int) -> bool:
        """Whether one more, of ``adding_bytes``, fits beside what waits already."""
        return bodies < self.bodies and size_bytes + adding_bytes <= self.size_bytes


LIMITS: Mapping[Lane, Limit] = {
    Lane.URGENT: Limit(10_000, 1024**3),
    Lane.NORMAL: Limit(100_000, 1024**3),
    Lane.BULK: Limit(1_000_000, 1024**3),
}


@dataclass(frozen=True, slots=True)
class Span:
    """Positions ``first`` to ``last``, the digest at ``first`` - 1 and the digest at ``last``."""

    first: int
    last: int
    prev: str
    digest: str

    @staticmethod
    def of(body: Placed) -> Span:
        """Of a skip: the digest of what it stands for, not its own (section 3.2)."""
        if isinstance(body, Skip):
            return Span(body.seq, body.last, body.prev, body.hash_after)
        return Span(body.seq, body.seq, body.prev, body.digest)


def hash_of_nothing(prev: str, first: int, last: int) -> str:
    """``hash_after`` of a skip whose last position never had a body, as it is first made (section 3.4)."""
    return digest(length_prefixed("tansiq.skip.v1", prev, first, last))


class Positions(Protocol):
    """What is known of one channel's positions: those above ``through``, and below it as long as ``KEPT``."""

    def digest_at(self, position: int) -> str | None:
        """The digest of the body that has it, if a span that ends there is known."""

    def prevs_at(self, position: int) -> Iterable[str]:
        """What the spans that begin there say of the position before."""

    def reach(self, position: int) -> Span | None:
        """Of the spans that cover ``position`` the one that goes furthest."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far one channel has come, at its recipient.

    Attributes:
        through: the highest position below which there is no gap; 0 at first.
        hash: digest at ``through``.
        highest: the highest position covered.
        frozen: two bodies for one position, or two machines for one node, were seen (section 11.2).
        closed: a newer incarnation began; its gaps will not be filled (section 2.1).
    """

    through: int = 0
    hash: str = EMPTY_DIGEST
    highest: int = 0
    frozen: bool = False
    closed: bool = False


def contradiction(cursor: Cursor, known: Positions, span: Span) -> int | None:
    """The position of which ``span`` says otherwise than what is known; None if it says nothing else (section 6)."""
    at_last = cursor.hash if span.last == cursor.through else known.digest_at(span.last)
    if at_last is not None and at_last != span.digest:
        return span.last
    before = cursor.hash if span.first - 1 == cursor.through else known.digest_at(span.first - 1)
    if span.first == 1:
        before = EMPTY_DIGEST
    if before is not None and before != span.prev:
        return span.first - 1
    if any(prev != span.prev for prev in known.prevs_at(span.first)):
        return span.first - 1
    if any(prev != span.digest for prev in known.prevs_at(span.last + 1)):
        return span.last
    return None


def advanced(cursor: Cursor, known: Positions, span: Span) -> Cursor:
    """The cursor once ``span`` is among ``known``."""
    through, at = cursor.through, cursor.hash
    while (reached := known.reach(through + 1)) is not None:
        through, at = reached.last, reached.digest
    return replace(cursor, through=through, hash=at, highest=max(cursor.highest, span.last))
