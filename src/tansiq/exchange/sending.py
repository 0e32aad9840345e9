"""Sending on a channel: positions, decisions before every attempt, limits, when again and which way (section 8).

What a store keeps is an ``Outgoing`` for each channel and an ``Entry`` for each span of positions; rows that have no
position yet are the outbox. Nothing here sends: functions say what is to be sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from tansiq.exchange.body import Lane, SkipReason, Version
from tansiq.exchange.channel import LIMITS, ORDER_OF_LOSS, Limit, Span, hash_of_nothing
from tansiq.exchange.receipts import Holding
from tansiq.exchange.values import EMPTY_DIGEST

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
MAIL_AFTER: Mapping[Lane, timedelta] = {
    Lane.URGENT: timedelta(seconds=60),
    Lane.NORMAL: timedelta(hours=1),
    Lane.BULK: timedelta(hours=1),
}
MAIL_AGAIN: Mapping[Lane, timedelta] = {
    Lane.URGENT: timedelta(minutes=5),
    Lane.NORMAL: timedelta(hours=1),
    Lane.BULK: timedelta(hours=1),
}
"""After which a mail is tried again that no server took over: it greylists, or is away; or this node was killed."""
FIRST_MAIL_PAUSE = timedelta(hours=1)
LONGEST_MAIL_PAUSE = timedelta(days=1)
WINDOW = 10_000
"""Positions above the highest of which a receipt says something that may be under way (section 8.4)."""


ALONE_BY_MAIL = timedelta(minutes=10)
ALONE_BY_JETSTREAM = timedelta(hours=1)
"""How long a body that checks one way is tried by that way only, unless a receipt shows a gap where it is."""
LOST_AFTER = timedelta(seconds=60)
"""A body of which a receipt that came so long after the attempt says nothing was lost on the way."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the outbox: this version is to go to the channel's recipient. Small; its body is made by the sealer."""

    object: str
    version: Version
    kind: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The sender's end of a channel.

    Attributes:
        given: the highest position that was given.
        hash: digest at ``given``.
        dropped: rows dropped at the limit since the last position was given; the next skip says so.
        complete: False from the first drop until a comparison found both sides equal (section 13).
    """

    incarnation: str
    given: int = 0
    hash: str = EMPTY_DIGEST
    dropped: int = 0
    complete: bool = True


class Way(StrEnum):
    """How sealed bytes travel (section 16). A file is made by a person's order, not by the clock."""

    JETSTREAM = "jetstream"
    MAIL = "mail"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Entry:
    """A span of positions that was given: the bytes of a body, or why there are none any more.

    Attributes:
        body: the canonical body, whose digest is ``span.digest``; None for a skip.
        row: what the body carries; None for a skip.
        skipped: why there is no body.
        attempts, next_at: by JetStream; ``next_at`` is None before the first.
        mailed, next_mail_at: the same by mail.
        first_sent_at: of the first attempt by any way.
        covered_at: when a receipt first covered it.
        only: a check of one way (section 15): a receipt is to say that this way works, and no other.
    """

    span: Span
    body: bytes | None
    row: Row | None
    skipped: SkipReason | None = None
    attempts: int = 0
    next_at: datetime | None = None
    mailed: int = 0
    next_mail_at: datetime | None = None
    first_sent_at: datetime | None = None
    covered_at: datetime | None = None
    only: Way | None = None


class Room(StrEnum):
    """What becomes of a row at a channel's limit (section 8.5)."""

    SEAL = "seal"
    WAIT = "wait"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits on a channel: positions that no receipt covers, and the bytes of their bodies."""

    bodies: int = 0
    size_bytes: int = 0

    def __add__(self, other: Backlog) -> Backlog:
        return Backlog(self.bodies + other.bodies, self.size_bytes + other.size_bytes)


def room(lane: Lane, backlog: Backlog, row: Row, *, limits: Mapping[Lane, Limit] = LIMITS) -> Room:
    """Whether the sealer takes a row, lets it wait without a position, or drops it."""
    if limits[lane].has_room(bodies=backlog.bodies, size_bytes=backlog.size_bytes, adding_bytes=row.size_bytes):
        return Room.SEAL
    return Room.DROP if lane in ORDER_OF_LOSS else Room.WAIT


def drop(outgoing: Outgoing, rows: int = 1) -> Outgoing:
    """Note that ``rows`` went at the limit; ``owed_skip`` says so to the recipient."""
    return replace(outgoing, dropped=outgoing.dropped + rows, complete=False)


def owed_skip(outgoing: Outgoing) -> tuple[Entry, Outgoing] | None:
    """The skip for what was dropped, one position a row: to be given before the next body (section 8.5)."""
    if not outgoing.dropped:
        return None
    first, last = outgoing.given + 1, outgoing.given + outgoing.dropped
    span = Span(first, last, outgoing.hash, hash_of_nothing(outgoing.hash, first, last))
    entry = Entry(span, None, None, SkipReason.LIMIT)
    return entry, replace(outgoing, given=last, hash=span.digest, dropped=0)


def place(outgoing: Outgoing, row: Row, body: bytes, digest: str) -> tuple[Entry, Outgoing]:
    """Give the next position to a body that was made for it with ``seq`` = given + 1 and ``prev`` = hash.

    Raises: ValueError: dropped rows have to be said first.
    """
    if outgoing.dropped:
        raise ValueError("a skip is owed")
    seq = outgoing.given + 1
    entry = Entry(Span(seq, seq, outgoing.hash, digest), body, row)
    return entry, replace(outgoing, given=seq, hash=digest)


def joined(entries: Iterable[Entry]) -> list[Entry]:
    """Neighbouring skips of one reason as one, in order (3.4): a million narrowed objects are one small body."""
    result: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.span.first):
        last = result[-1] if result else None
        if (
            last is not None
            and entry.skipped is not None
            and last.skipped is entry.skipped
            and last.span.last + 1 == entry.span.first
        ):
            span = replace(last.span, last=entry.span.last, digest=entry.span.digest)
            result[-1] = replace(last, span=span)
        else:
            result.append(entry)
    return result


def pause(attempts: int) -> timedelta:
    """How long after the ``attempts``-th attempt the next is made: 5 s, doubling to 10 minutes."""
    doublings: int = min(attempts - 1, 20)
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << doublings))


def mail_pause(mailed: int) -> timedelta:
    """The same by mail: an hour, doubling to a day."""
    doublings: int = min(mailed - 1, 20)
    return min(LONGEST_MAIL_PAUSE, FIRST_MAIL_PAUSE * (1 << doublings))


def due(
    entries: Iterable[Entry],
    belief: Holding,
    *,
    lane: Lane,
    has_mail: bool,
    heard_at: datetime | None,
    now: datetime,
    window: int = WINDOW,
) -> list[tuple[Entry, frozenset[Way]]]:
    """What is to be attempted now, and which ways (section 8.4).

    Each position within the window is attempted once. While nothing is heard only the lowest is tried again: a
    recipient that is away for a month costs one body each ten minutes, not its backlog. Once it is heard, what seems
    lost is tried again too.

    Args:
        entries: those that ``belief`` does not cover, by position.
        heard_at: when the last receipt of the channel came that was believed.
    """
    found: list[tuple[Entry, frozenset[Way]]] = []
    reached = belief.horizon + window
    for number, entry in enumerate(entries):
        if entry.span.first > reached:
            break
        again = number == 0 or _seems_lost(entry, heard_at)
        ways = _ways(entry, lane, has_mail, now, again=again)
        if ways:
            found.append((entry, ways))
    return found


def _last_attempt(entry: Entry) -> datetime | None:
    if entry.next_at and not entry.attempts:
        return entry.first_sent_at  # by mail alone
    return entry.next_at - pause(entry.attempts) if entry.next_at else None


def _seems_lost(entry: Entry, heard_at: datetime | None) -> bool:
    last = _last_attempt(entry)
    return last is not None and heard_at is not None and heard_at - last >= LOST_AFTER


def _ways(entry: Entry, lane: Lane, has_mail: bool, now: datetime, *, again: bool) -> frozenset[Way]:
    if entry.only is Way.MAIL and has_mail and entry.first_sent_at is None:
        return frozenset({Way.MAIL})
    ways: set[Way] = set()
    if entry.next_at is None or (again and entry.next_at <= now):
        ways.add(Way.JETSTREAM)
    if has_mail and entry.first_sent_at is not None:
        at = mail_at(entry, lane)
        if at is not None and at <= now:
            ways.add(Way.MAIL)
    return frozenset(ways)


def mail_at(entry: Entry, lane: Lane) -> datetime | None:
    """When it is to go by mail, if no receipt covers it by then; None: not before it was attempted at all."""
    if entry.next_mail_at is not None or entry.first_sent_at is None:
        return entry.next_mail_at
    return entry.first_sent_at + (ALONE_BY_JETSTREAM if entry.only is Way.JETSTREAM else MAIL_AFTER[lane])


def attempted(entry: Entry, ways: frozenset[Way], *, lane: Lane, now: datetime) -> Entry:
    """The entry after an attempt; to be stored before the bytes leave, so that no crash forgets a recipient.

    Until ``handed_in`` says otherwise a mail counts as one that no server took: a crash may be what kept it.
    """
    if entry.only is Way.MAIL and ways == {Way.MAIL} and entry.first_sent_at is None:
        entry = replace(entry, next_at=now + ALONE_BY_MAIL)
    entry = replace(entry, first_sent_at=entry.first_sent_at or now)
    if Way.JETSTREAM in ways:
        entry = replace(entry, attempts=entry.attempts + 1, next_at=now + pause(entry.attempts + 1))
    if Way.MAIL in ways:
        entry = replace(entry, mailed=entry.mailed + 1, next_mail_at=now + MAIL_AGAIN[lane])
    return entry


def handed_in(entry: Entry, *, now: datetime) -> Entry:
    """A mail server took it over: it rests longer than if nobody had."""
    return replace(entry, next_mail_at=now + mail_pause(entry.mailed))


def answered(entries: Iterable[Entry], belief: Holding, *, now: datetime) -> tuple[list[Entry], list[Entry]]:
    """What a believed receipt makes of entries: those that it covers, and those to be sent again at once.

    An entry that was covered before and is not now (its recipient was restored) is sent again too.
    """
    covered: list[Entry] = []
    missing: list[Entry] = []
    for entry in entries:
        if _covers(belief, entry.span):
            covered.append(replace(entry, covered_at=entry.covered_at or now))
        elif entry.covered_at is not None:
            missing.append(replace(entry, covered_at=None, attempts=0, next_at=None))
        elif entry.span.first <= belief.horizon and _is_rested(entry, now):
            missing.append(replace(entry, next_at=None))
    return covered, missing


def _is_rested(entry: Entry, now: datetime) -> bool:
    """Not under way any more: the last attempt was a first pause ago."""
    last = _last_attempt(entry)
    return last is not None and now - last >= FIRST_PAUSE


def _covers(belief: Holding, span: Span) -> bool:
    if span.last <= belief.through:
        return True
    return span.last <= belief.horizon and not any(
        first <= span.last and span.first <= last for first, last in belief.gaps
    )


def is_covered(belief: Holding, entry: Entry) -> bool:
    """Whether a receipt acknowledges every position of it."""
    return _covers(belief, entry.span)


def lost(entries: Sequence[Entry], missing: Iterable[tuple[int, int]]) -> bool:
    """Whether a position that the recipient lacks is not kept any more: a new incarnation and a comparison then."""
    runs = [(entry.span.first, entry.span.last) for entry in entries]
    return any(not _within(first, last, runs) for first, last in missing)


def _within(first: int, last: int, runs: Sequence[tuple[int, int]]) -> bool:
    cut = sorted((max(first, low), min(last, high)) for low, high in runs if low <= last and first <= high)
    if not cut or cut[0][0] > first or cut[-1][1] < last:
        return False
    return all(later[0] <= earlier[1] + 1 for earlier, later in pairwise(cut))
