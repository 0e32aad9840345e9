"""From the outbox to bodies with positions, one sealer a channel (sections 8.2 and 8.5)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from tansiq.exchange import sending
from tansiq.exchange.body import Lane
from tansiq.exchange.channel import ORDER_OF_LOSS
from tansiq.exchange.models import Alarm, OutboxRow, OutChannel, Statement
from tansiq.exchange.node import alarms, attempts, keeping, sealer
from tansiq.exchange.node.deciding import Deciding, going_of
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.leaving import Attempt
from tansiq.exchange.node.sealer import Sealer
from tansiq.exchange.sending import Outgoing

LEASE = timedelta(seconds=10)
"""How long a sealer that says nothing more keeps its channel: no longer waits an alert for a process that was killed.
Two that seal one channel at once wait for each other all the same: each seals in one transaction."""
FULL = "exchange.urgent_full"
"""Alarm: urgent rows wait without a position, since the channel is at its limit."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """What came of one transaction.

    Attributes:
        rows: that left the outbox, sealed, dropped or not allowed to go.
        attempts: what is to leave now, stored as attempted.
        waiting: peers whose rows stay: their channel is at its limit, or another's to seal.
        more: whether there may be more to be done for the others.
    """

    rows: int = 0
    attempts: Sequence[Attempt] = ()
    waiting: Collection[str] = ()
    more: bool = False


@transaction.atomic
def seal(here: Here, peers: Collection[str], lane: Lane, *, worker: str, now: datetime, most: int = 500) -> Sealing:
    """Take the oldest rows that wait for these peers on a lane: decide, give positions, make bodies, attempt them.

    Args:
        worker: who seals, by a name of its own; the channels are leased to it for ``LEASE``.
    """
    return _sealed(here, peers, lane, worker=worker, now=now, most=most, is_leaving=True)


@transaction.atomic
def seal_channel(here: Here, peer: str, lane: Lane, *, worker: str, now: datetime, most: int = 500) -> int:
    """The same of one channel, but nothing leaves. Returns: rows that left the outbox."""
    return _sealed(here, [peer], lane, worker=worker, now=now, most=most, is_leaving=False).rows


def _sealed(
    here: Here, peers: Collection[str], lane: Lane, *, worker: str, now: datetime, most: int, is_leaving: bool
) -> Sealing:
    asked = OutboxRow.objects.filter(peer__in=set(peers) - keeping.silent(peers), lane=lane.value)
    having = set(asked.order_by().values_list("peer", flat=True).distinct())
    channels = keeping.opened(having, lane).values() if having else ()
    if not channels or keeping.is_outdated(here.epoch):
        return Sealing()  # what was signed under a newer roster must not be addressed under this one (check 5.11)
    mine = claimed(channels, worker, now)
    rows = _oldest([one.peer for one in mine], lane, most)
    sealers = _sealers(here, mine, rows, now)
    taken = [row for one in sealers for row in one.take(rows[one.channel.peer])]
    for one in sealers:
        if is_leaving and attempts.is_reached(here, one.channel.peer, lane):
            one.attempt()
    sealer.store(sealers, now)
    OutboxRow.objects.filter(id__in=[row.pk for row in taken]).delete()
    for one in sealers:
        if one.dropped:
            keeping.incomplete(one.channel.peer, now)
    if lane is Lane.URGENT:
        _alarm({one.channel.peer: one.is_full for one in sealers}, now)
    return Sealing(
        rows=len(taken),
        attempts=[attempt for one in sealers for attempt in one.attempts],
        waiting=having - {one.peer for one in mine} | {one.channel.peer for one in sealers if one.is_full},
        more=sum(map(len, rows.values())) == most,
    )


def _oldest(peers: Collection[str], lane: Lane, most: int) -> dict[str, list[OutboxRow]]:
    """Peer -> its rows among the oldest, with their statements, each read once however many get it."""
    rows = list(OutboxRow.objects.filter(peer__in=peers, lane=lane.value).order_by("id")[:most])
    said = Statement.objects.in_bulk({row.statement_id for row in rows})
    found: dict[str, list[OutboxRow]] = {}
    for row in rows:
        row.statement = said[row.statement_id]
        found.setdefault(row.peer, []).append(row)
    return found


def _sealers(
    here: Here, channels: Collection[OutChannel], rows: Mapping[str, Sequence[OutboxRow]], now: datetime
) -> list[Sealer]:
    """Of the channels that have something to seal; decided for all of them together."""
    may_go = Deciding(here, now).may_go_each(
        {peer: [going_of(row.statement) for row in some] for peer, some in rows.items()}
    )
    contents = sealer.contents_of((row for some in rows.values() for row in some), here)
    return [Sealer(here, one, may_go[one.peer], contents, now) for one in channels if one.peer in rows]


def claimed(channels: Collection[OutChannel], worker: str, now: datetime) -> list[OutChannel]:
    """The lease: free, over, or one's own. Whoever comes second changes no row."""
    free = Q(sealer__in=["", worker]) | Q(sealer_until=None) | Q(sealer_until__lte=now)
    asked = OutChannel.objects.filter(free, pk__in=[one.pk for one in channels])
    if asked.update(sealer=worker, sealer_until=now + LEASE) == len(channels):
        return list(channels)
    mine = set(
        OutChannel.objects.filter(pk__in=[one.pk for one in channels], sealer=worker).values_list("pk", flat=True)
    )
    return [one for one in channels if one.pk in mine]


def release(worker: str) -> None:
    """Give back every lease: the next sealer need not wait."""
    OutChannel.objects.filter(sealer=worker).update(sealer="", sealer_until=None)


def _alarm(full: Mapping[str, bool], now: datetime) -> None:
    """``full``: peer -> whether urgent rows wait for it."""
    raised = set(Alarm.objects.filter(code=FULL, ended_at=None).values_list("peer", flat=True))
    for peer, is_full in sorted(full.items()):
        if is_full:
            alarms.raise_alarm(FULL, peer, {}, now)
        elif peer in raised:
            alarms.end_alarm(FULL, peer, now)


@transaction.atomic
def shed(*, excess_bytes: int, now: datetime, peer: str = "") -> int:
    """A disk is short, or with ``peer`` the quota of one link: drop rows without a position (section 8.5).

    The newest of the lowest lane go first; what is urgent stays. The recipients are told by a skip, and compared.

    Returns: rows dropped.
    """
    chosen = _newest(excess_bytes, peer)
    channels = keeping.opened_in_order(chosen)
    dropped = {key: _drop(channel, chosen[key]) for key, channel in channels.items()}
    for one in sorted({to for (to, _lane), count in dropped.items() if count}):
        keeping.incomplete(one, now)
    return sum(dropped.values())


def _newest(excess_bytes: int, peer: str) -> dict[tuple[str, str], list[int]]:
    """(Peer, lane) -> rows that are to go."""
    chosen: dict[tuple[str, str], list[int]] = {}
    for lane in ORDER_OF_LOSS:
        rows = OutboxRow.objects.filter(lane=lane.value, **({"peer": peer} if peer else {})).order_by("-id")
        columns = rows.values_list("id", "peer", "size_bytes")
        with closing(columns.iterator(chunk_size=keeping.PAGE)) as found:
            for identifier, to, size in found:
                if excess_bytes <= 0:
                    return chosen
                excess_bytes -= size
                chosen.setdefault((to, lane.value), []).append(identifier)
    return chosen


def _drop(channel: OutChannel, rows: Sequence[int]) -> int:
    """What was sealed before the channel was locked is there no more, and not dropped."""
    count = 0
    for start in range(0, len(rows), keeping.PAGE):
        count += OutboxRow.objects.filter(id__in=rows[start : start + keeping.PAGE]).delete()[0]
    outgoing = Outgoing(channel.incarnation, channel.given, channel.hash, channel.dropped)
    channel.dropped = sending.drop(outgoing, count).dropped
    channel.save(update_fields=["dropped"])
    return count
