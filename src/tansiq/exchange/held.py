"""Nodes that were restored from a backup, and what they ask of their peers before they speak again (section 11.1).

A restored node has forgotten what happened since the backup; its peers have not. Held, it sends nothing but requests,
mints nothing and shows nothing of others. Each peer answers with the node's own objects as it holds them, the recalls
that it knows, and where the channels between the two stand.

A former life's bodies may come to a peer after it has answered. So a node that is not held asks the same of a peer with
which a comparison differed, and of one that a roster adds (sections 12 and 13), and takes the objects and recalls only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tansiq.exchange.body import Lane, Version
from tansiq.exchange.receipts import Ledger
from tansiq.exchange.values import LARGEST, incarnation_number

PAGE = 1_000
"""Objects and recalls of one answer at most; an answer is never longer than a body (section 3.6)."""
MOST_COUNTED = LARGEST // 2
"""Up to where a peer may say that this node has counted: it goes on above, for good (sections 3.6 and 11.1)."""
MOST_NUMBERED = 10**14 - 1
"""The same of the N of an incarnation: three million years in seconds, and there is as much above (section 2.1)."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the two channels of a lane stand, as the peer that answers sees it.

    Attributes:
        incarnation: the highest that the peer knows of the asking node's; empty if it knows none.
        n, changes: of the last receipt that it believed from the asking node, and the highest change it knows.
    """

    lane: Lane
    incarnation: str = ""
    n: int = 0
    changes: int = 0

    def said(self) -> Stand:
        """As it may be said: the asking node takes no number that leaves it no room above."""
        is_room = not self.incarnation or incarnation_number(self.incarnation) <= MOST_NUMBERED
        incarnation = self.incarnation if is_room else ""
        return Stand(self.lane, incarnation, min(self.n, MOST_COUNTED), min(self.changes, MOST_COUNTED))


def next_number(known: Iterable[str], *, now: datetime) -> int:
    """Number of a new incarnation: the seconds since 1970, or one above whatever either side knows (section 2.1).

    The seconds are what keeps a node that was restored twice from giving one number twice to a peer that never answers.
    """
    highest = max((incarnation_number(text) for text in known if text), default=0)
    return max(highest + 1, int(now.timestamp()))


def renumbered(ledger: Ledger, stand: Stand) -> Ledger:
    """Receipts go on above what the peer has seen, so that the newest wins again."""
    return ledger.above(n=stand.n, changes=stand.changes)


def raised(known: Version) -> Version:
    """The version of the first change to an own object after a restore: a new term (section 11.1).

    What the node said between the backup and the restore, and nobody has answered with, is then older than it.
    """
    return Version(known.term + 1, 1)
