"""Taking positions and applying objects, two things apart (sections 2.1, 6 and 7).

What a store keeps between two calls are the values here: a ``Cursor`` and its ``Positions`` for each channel, and for
each object what was applied, what recalls it and what waits. Each function is one transaction's decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tansiq.exchange.body import State, Version
from tansiq.exchange.channel import Cursor, Limit, Positions, Span, advanced, contradiction
from tansiq.exchange.reasons import Reason
from tansiq.exchange.values import incarnation_number

CLOCK_TOLERANCE = timedelta(minutes=20)
"""How far ``sent_at`` may be from the clock here (check 5.8 and section 14)."""


class Place(StrEnum):
    """What became of a body's position."""

    NEW = "new"
    REPEAT = "repeat"
    SKIPPED = "skipped"
    """A skip dealt with it before: its content may not be applied (section 3.4)."""
    FULL = "full"
    """Too much lies above a gap: not taken, and no receipt says that it was (section 6)."""
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a channel's recipient already holds, counted in one way or another."""

    bodies: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a body went, and the cursor after it.

    Attributes:
        contradicts: the position that has two stories now; the channel froze with it. Keep both bodies.
    """

    place: Place
    cursor: Cursor
    contradicts: int | None = None


def take(
    cursor: Cursor,
    known: Positions,
    span: Span,
    *,
    is_skip: bool,
    above_gap: Waiting = Waiting(),
    size_bytes: int = 0,
    limit: Limit,
) -> Taken:
    """Give a body its position (section 6). The caller adds ``span`` to ``known`` if the place is NEW.

    Args:
        known: without ``span``.
        above_gap: positions that are taken above the first gap of this channel, and the bytes that wait there.
        limit: of what may be held there (section 16). What closes the first gap is always taken.
    """
    against = contradiction(cursor, known, span)
    if against is not None:
        return Taken(Place.FROZEN, replace(cursor, frozen=True), against)
    if _is_known(cursor, known, span):
        return Taken(Place.REPEAT, cursor)
    if cursor.frozen:
        return Taken(Place.FROZEN, cursor)
    if not is_skip and (span.last <= cursor.through or known.reach(span.last) is not None):
        return Taken(Place.SKIPPED, cursor)
    closes = span.first <= cursor.through + 1
    if not closes and not limit.has_room(
        bodies=above_gap.bodies, size_bytes=above_gap.size_bytes, adding_bytes=size_bytes
    ):
        return Taken(Place.FULL, cursor)
    return Taken(Place.NEW, advanced(cursor, _With(known, span), span))


def _is_known(cursor: Cursor, known: Positions, span: Span) -> bool:
    """The same body or one that says no more. Below the retention a position alone tells."""
    if span.last <= cursor.through and span.first > 1 and known.reach(span.last) is None:
        return True
    position = max(span.first, cursor.through + 1)  # below there is no gap
    while position <= span.last:
        reached = known.reach(position)
        if reached is None:
            return False
        position = reached.last + 1
    return known.digest_at(span.last) == span.digest


@dataclass(frozen=True, slots=True)
class _With:
    """``known`` and one span more."""

    known: Positions
    span: Span

    def digest_at(self, position: int) -> str | None:
        return self.span.digest if position == self.span.last else self.known.digest_at(position)

    def prevs_at(self, position: int) -> Iterable[str]:
        return [*self.known.prevs_at(position), *([self.span.prev] if position == self.span.first else [])]

    def reach(self, position: int) -> Span | None:
        found = [self.span] if self.span.first <= position <= self.span.last else []
        before = self.known.reach(position)
        return max([*found, *([before] if before else [])], key=lambda span: span.last, default=None)


class Numbering(StrEnum):
    """What an incarnation is to a recipient that knows others (section 2.1)."""

    CURRENT = "current"
    NEWER = "newer"
    """Begins at position 1; the gaps of the former ones are closed."""
    FORMER = "former"
    """A straggler of before the newer one began: its position is taken, it is applied by the order of its object."""
    SUSPECT = "suspect"
    """A former one speaks on, by its clock. An alarm, and no more: a clock that was set back looks the same."""
    CLONE = "clone"
    """Two of one number: two machines were restored from one backup. The link freezes (section 11.2)."""


def numbering(begun: Mapping[str, datetime], incarnation: str, *, sent_at: datetime) -> Numbering:
    """What a body on ``incarnation`` says, where ``begun`` has the earliest ``sent_at`` seen on each known one."""
    if not begun:
        return Numbering.NEWER
    newest = max(begun, key=incarnation_number)
    number, highest = incarnation_number(incarnation), incarnation_number(newest)
    if incarnation == newest:
        return Numbering.CURRENT
    if number > highest:
        return Numbering.NEWER
    if any(incarnation_number(other) == number and other != incarnation for other in begun):
        return Numbering.CLONE
    if sent_at > begun[newest] + 2 * CLOCK_TOLERANCE:
        return Numbering.SUSPECT
    return Numbering.FORMER


class Cause(StrEnum):
    """Why something was recalled (section 12)."""

    MARKING = "marking"
    """The owner narrowed or withdrew it with this version: no lower one can come back."""
    ROSTER = "roster"
    """A team left: the same version may come back under a later roster."""


NO_VERSION = Version(0, 0)
"""Below every version that an owner gives."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What stays of an object that may no longer be here: no content (section 12).

    Attributes:
        narrowed: the first version that may not be had here: lower ones may not either, later ones come if they may.
        left, epoch: a team left: the same version may come back if it is addressed under a later roster.
    """

    narrowed: Version = NO_VERSION
    left: Version = NO_VERSION
    epoch: int = 0

    @staticmethod
    def of(version: Version, *, cause: Cause, epoch: int) -> Recall:
        """Of all below ``version``; where the team left, of it and all below that came under ``epoch`` (section 12)."""
        return Recall(narrowed=version) if cause is Cause.MARKING else Recall(left=version, epoch=epoch)

    def blocks(self, version: Version, *, epoch: int) -> bool:
        """Whether this version, addressed under ``epoch``, is among what was recalled."""
        return version < self.narrowed or (version <= self.left and epoch <= self.epoch)

    def joined(self, other: Recall) -> Recall:
        """Both of them; the same in any order and any number of times."""
        return Recall(max(self.narrowed, other.narrowed), max(self.left, other.left), max(self.epoch, other.epoch))


@dataclass(frozen=True, slots=True)
class Item:
    """A version of an object whose position was taken, as far as order and waiting go.

    Attributes:
        key: whatever the store finds it by.
        leaf: digest of what the author signed, whatever its signature looks like; two of one version are two stories of
            one owner.
        self_contained: its kind may be applied above a gap (section 15).
        unfit: what checks 5.11 to 5.17 and 5.19 found; None if it is fit.
        refused: a person, or check 5.16, decided that it will never be applied.
    """

    key: str
    object: str
    version: Version
    leaf: str
    epoch: int
    self_contained: bool = False
    unfit: Reason | None = None
    refused: Reason | None = None

    @property
    def holds_back(self) -> bool:
        """Whether later versions wait behind it: only what its owner really said does that (section 7)."""
        return self.refused is None and self.unfit in (None, Reason.PAYLOAD)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an item is now. ``gap`` says that it waits for a gap to close: receipts show the gap instead."""

    item: Item
    state: State
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether it waits: it is parked or quarantined."""
        return self.state in (State.PARKED, State.QUARANTINED)


GAP = "gap"
DELETED = "deleted"
"""Said of what a recall blocks, and of a recall that was obeyed (section 12)."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What is live of an object here.

    Attributes:
        epoch: the highest roster under which this version was addressed to this node, by whichever envelope: one that
            was sent again under a later roster outlives a recall because its recipient had left before.
    """

    version: Version
    leaf: str
    epoch: int = 0


def settle(
    waiting: Iterable[Item],
    *,
    applied: Applied | None,
    recall: Recall | None,
    lacks: Callable[[Item], Reason | None],
    behind_gap: Callable[[Item], bool],
) -> tuple[list[Verdict], Applied | None]:
    """Try every waiting version of one object, in its owner's order; the same in whatever order they came.

    Args:
        waiting: parked and quarantined ones and what has just come, all of one object.
        lacks: what is not here yet of an item: its kind, a reference, a blob (5.18, 5.20, 5.21), or nothing.
        behind_gap: whether a position below the item's is missing on its channel.

    Returns: a verdict for each, in the order of versions; what is applied after them, whose epoch may have risen though
        nothing new is applied. Those ``stored`` are to be applied in that order, in the caller's transaction.
    """
    verdicts: list[Verdict] = []
    held_back = False
    for item in sorted(waiting, key=lambda item: (item.version, item.epoch, item.leaf, item.key)):
        verdict = _judge(item, applied, recall, held_back, lacks, behind_gap)
        verdicts.append(verdict)
        if verdict.state is State.STORED:
            applied = Applied(item.version, item.leaf, item.epoch)
        elif verdict.state is State.HAD and applied is not None and item.version == applied.version:
            applied = replace(applied, epoch=max(applied.epoch, item.epoch))
        held_back = held_back or (verdict.is_open and item.holds_back and verdict.reason not in HOLD_NOTHING_BACK)
    return [_superseded(verdict, applied) for verdict in verdicts], applied


def _superseded(verdict: Verdict, applied: Applied | None) -> Verdict:
    """What was quarantined since its owner said something else under that number: a later version replaces both."""
    is_over = verdict.reason == VERSION and applied is not None and applied.version > verdict.item.version
    return Verdict(verdict.item, State.HAD) if is_over else verdict


def _judge(
    item: Item,
    applied: Applied | None,
    recall: Recall | None,
    held_back: bool,
    lacks: Callable[[Item], Reason | None],
    behind_gap: Callable[[Item], bool],
) -> Verdict:
    if item.refused is not None:
        return Verdict(item, State.REFUSED, item.refused.value)
    if item.unfit is not None and item.unfit is not Reason.PAYLOAD:
        return Verdict(item, State.QUARANTINED, item.unfit.value)
    if recall is not None and recall.blocks(item.version, epoch=item.epoch):
        return Verdict(item, State.RECALLED, DELETED)
    lacking = lacks(item)
    if lacking is Reason.CLOCK:  # nobody has proven to have said it (5.13): neither what is applied nor another story
        return Verdict(item, State.PARKED, lacking.value)
    if applied is not None and item.version <= applied.version:
        return _had(item, applied)
    if item.unfit is not None:
        return Verdict(item, State.QUARANTINED, item.unfit.value)
    if lacking is not None:
        return Verdict(item, State.PARKED, lacking.value)
    if behind_gap(item) and not item.self_contained:
        return Verdict(item, State.PARKED, GAP)
    if held_back:
        return Verdict(item, State.PARKED, Reason.ORDER.value)
    return Verdict(item, State.STORED)


def _had(item: Item, applied: Applied) -> Verdict:
    if item.version == applied.version and item.leaf != applied.leaf:
        return Verdict(item, State.QUARANTINED, VERSION)
    return Verdict(item, State.HAD)


VERSION = "version"
"""The owner said two things under one number: kept for a person to see until a later version comes; the first stays
(section 6)."""
HOLD_NOTHING_BACK = (Reason.CLOCK, VERSION)
