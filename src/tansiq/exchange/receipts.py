"""Receipts: what a recipient says that it holds, and what a sender believes of it (section 3.5).

A receipt is cumulative for positions. For objects it carries a run of numbered changes; a sender that misses some asks
for them by number, so that a lost receipt loses nothing and no receipt grows with the channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tansiq.exchange.body import MOST_GAPS, MOST_OBJECTS, ObjectState
from tansiq.exchange.channel import Cursor
from tansiq.exchange.values import EMPTY_DIGEST

LEAST_BETWEEN = timedelta(seconds=1)
MOST_BETWEEN = timedelta(hours=1)
"""While anything is open (section 16). What is not open says nothing by itself."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A receipt's content: what the recipient of a channel holds. ``body.Receipt`` is how it travels.

    Attributes:
        n: number of the receipt; the highest wins.
        gaps: at most ``MOST_GAPS``, the lowest. When there are that many, nothing is said of what lies above them.
        since, changes: ``objects`` are the changes numbered ``since`` + 1 to ``changes``, of an object its last.
    """

    n: int
    through: int
    body_hash: str
    highest: int
    gaps: tuple[tuple[int, int], ...] = ()
    since: int = 0
    changes: int = 0
    objects: tuple[ObjectState, ...] = ()

    @property
    def horizon(self) -> int:
        """The highest position of which it says anything."""
        return self.gaps[-1][1] if len(self.gaps) == MOST_GAPS else self.highest


NOTHING = Holding(0, 0, EMPTY_DIGEST, 0)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The recipient's numbering of receipts and of what it said of objects, for one channel.

    Attributes:
        n: number of the last receipt made: rising, and not below the milliseconds since 1970.
        changes: number of the last change of an object's state.
        said: the highest change that a receipt carried.
        unsaid: whether there is something to say since the last receipt, be it that a body came twice.
        last_made_at: None before the first.
    """

    n: int = 0
    changes: int = 0
    said: int = 0
    unsaid: bool = False
    last_made_at: datetime | None = None

    def above(self, *, n: int, changes: int) -> Ledger:
        """After a restore: numbers go on above what the peer has seen (section 11.1)."""
        highest = max(self.changes, changes)
        return replace(self, n=max(self.n, n), changes=highest, said=highest)


def is_due(ledger: Ledger, *, open_items: bool, now: datetime) -> bool:
    """Whether a receipt is to be made: at most one a second; one an hour while anything is open (section 16)."""
    if ledger.last_made_at is None:
        return ledger.unsaid
    waited = now - ledger.last_made_at
    return waited >= LEAST_BETWEEN if ledger.unsaid else open_items and waited >= MOST_BETWEEN


def make(
    ledger: Ledger,
    cursor: Cursor,
    *,
    gaps: Sequence[tuple[int, int]],
    changed: Mapping[int, ObjectState],
    now: datetime,
) -> tuple[Holding, Ledger]:
    """The next receipt.

    Args:
        gaps: the lowest ``MOST_GAPS`` of the channel.
        changed: number of change -> what is so since then, one for each object: the lowest ``MOST_OBJECTS`` above
            ``ledger.said``. What does not fit goes with the next receipt.
    """
    # The clock keeps a restored recipient above the receipts of its former life that are still under way.
    number = max(ledger.n + 1, int(now.timestamp() * 1000))
    chosen = sorted(change for change in changed if change > ledger.said)[:MOST_OBJECTS]
    said = ledger.changes if len(chosen) < MOST_OBJECTS else chosen[-1]
    holding = Holding(
        n=number,
        through=cursor.through,
        body_hash=cursor.hash,
        highest=cursor.highest,
        gaps=tuple(gaps[:MOST_GAPS]),
        since=ledger.said,
        changes=said,
        objects=tuple(changed[number] for number in chosen),
    )
    return holding, replace(ledger, n=holding.n, said=said, unsaid=said < ledger.changes, last_made_at=now)


class Alarm(StrEnum):
    """What a receipt shows to be wrong."""

    HIGHER = "higher"
    """It covers positions that were never given: this node was restored from a backup (sections 2.1 and 11.1)."""
    OTHER_CHAIN = "other_chain"
    """It has another digest for a position: two machines speak for one node (section 11.2)."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a sender does about a receipt.

    Attributes:
        belief: what it believes from now on.
        objects: states to store, of this receipt.
        missing: runs of positions that the recipient says it lacks, to be sent again at once.
        ask_since: a receipt with the changes after this number is asked for; None if none is missing.
    """

    belief: Holding
    objects: tuple[ObjectState, ...] = ()
    missing: tuple[tuple[int, int], ...] = ()
    ask_since: int | None = None
    alarm: Alarm | None = None


def weigh(belief: Holding, said: Holding, *, given: int, digest_at_through: str | None) -> Weighed:
    """Believe a receipt or not: the highest number wins, even where it says less (a restored recipient does).

    Args:
        given: the highest position that this node gave on the channel.
        digest_at_through: this node's digest at ``said.through``; None if it is not kept any more.
    """
    if said.n <= belief.n:
        return Weighed(belief)
    if said.highest > given or said.through > given:
        return Weighed(belief, alarm=Alarm.HIGHER)
    if digest_at_through is not None and digest_at_through != said.body_hash:
        return Weighed(belief, alarm=Alarm.OTHER_CHAIN)
    follows = said.since <= belief.changes
    known = said.changes if follows else belief.changes  # fewer than before: the recipient was restored
    return Weighed(
        belief=replace(said, changes=known, since=0, objects=()),
        objects=said.objects,
        missing=said.gaps,
        ask_since=None if follows else known,
    )


def on_asked(ledger: Ledger, *, since: int) -> Ledger:
    """The sender has every change up to ``since``: the next receipt begins there, and is due.

    Up to more than there are: it has those of a life of this node before a restore, and is told all of this one.
    """
    return replace(ledger, said=min(since, ledger.said) if since <= ledger.changes else 0, unsaid=True)
