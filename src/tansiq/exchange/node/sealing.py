"""From the outbox to bodies with positions, one sealer a channel (sections 8.2 and 8.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from tansiq.exchange import canonical, held, sending, values
from tansiq.exchange.body import Channel, Lane, Version
from tansiq.exchange.channel import ORDER_OF_LOSS
from tansiq.exchange.models import Alarm, OutboxRow, OutChannel, RosterRecord, Sent
from tansiq.exchange.node import keeping, statements
from tansiq.exchange.node.deciding import Deciding, going_of
from tansiq.exchange.node.here import Here
from tansiq.exchange.sending import Backlog, Entry, Outgoing, Room, Row, Way

LEASE = timedelta(seconds=10)
"""How long a sealer that says nothing more keeps its channel: no longer waits an alert for a process that was killed.
Two that seal one channel at once wait for each other all the same: each seals in one transaction."""
FULL = "exchange.urgent_full"
"""Alarm: urgent rows wait without a position, since the channel is at its limit."""


@transaction.atomic
def seal_channel(here: Here, peer: str, lane: Lane, *, worker: str, now: datetime, most: int = 500) -> int:
    """Take the oldest rows of a channel's outbox: decide, give positions, make bodies.

    Args:
        worker: who seals, by a name of its own; the channel is leased to it for ``LEASE``.

    Returns: rows that left the outbox, sealed, dropped or not allowed to go; 0 where there is nothing to do now.
    """
    if keeping.is_silent(peer) or not OutboxRow.objects.filter(peer=peer, lane=lane.value).exists():
        return 0
    channel = keeping.opened(peer, lane)
    if not claim(channel, worker, now):
        return 0
    rows = list(OutboxRow.objects.filter(peer=peer, lane=lane.value).order_by("id").select_related("statement")[:most])
    if RosterRecord.objects.filter(epoch__gt=here.epoch).exists():
        return 0  # what was signed under a newer roster must not be addressed under this one (check 5.11)
    going = [going_of(row.statement) for row in rows]
    sealer = _Sealer(here, channel, Deciding(here, now).may_go(peer, going), now)
    taken = sealer.take(rows)
    sealer.store()
    OutboxRow.objects.filter(id__in=[row.pk for row in taken]).delete()
    if sealer.dropped:
        keeping.incomplete(peer, now)
    if lane is Lane.URGENT:
        _alarm(peer, len(taken) < len(rows), now)
    return len(taken)


def claim(channel: OutChannel, worker: str, now: datetime) -> bool:
    """The lease: free, over, or one's own. Whoever comes second changes no row."""
    free = Q(sealer__in=["", worker]) | Q(sealer_until=None) | Q(sealer_until__lte=now)
    return bool(OutChannel.objects.filter(free, pk=channel.pk).update(sealer=worker, sealer_until=now + LEASE))


def release(worker: str) -> None:
    """Give back every lease: the next sealer need not wait."""
    OutChannel.objects.filter(sealer=worker).update(sealer="", sealer_until=None)


@dataclass
class _Sealer:
    """One channel while it is sealed: rows in, entries out."""

    here: Here
    channel: OutChannel
    may_go: set[int]
    now: datetime
    entries: list[tuple[Entry, int | None]] = field(default_factory=list)
    dropped: int = 0

    def __post_init__(self) -> None:
        channel = self.channel
        self.outgoing = Outgoing(channel.incarnation, channel.given, channel.hash, channel.dropped)
        self.backlog = Backlog(channel.waiting_bodies, channel.waiting_bytes)

    def take(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Those that were dealt with; the rest waits, in its order."""
        lane = Lane(self.channel.lane)
        for number, row in enumerate(rows):
            match sending.room(lane, self.backlog, _row(row), limits=self.here.limits):
                case Room.WAIT:
                    return list(rows[:number])
                case Room.DROP:
                    self.outgoing = sending.drop(self.outgoing)
                    self.dropped += 1
                case Room.SEAL if row.statement_id in self.may_go:
                    self._seal(row)
        return list(rows)

    def _seal(self, row: OutboxRow) -> None:
        owed = sending.owed_skip(self.outgoing)
        if owed:
            self._add(owed[0], None)
            self.outgoing = owed[1]
        if not self.outgoing.incarnation:
            number = held.next_number(self.channel.former, now=self.now)
            self.outgoing = replace(self.outgoing, incarnation=values.new_incarnation(number))
        body = self._body(row)
        entry, self.outgoing = sending.place(self.outgoing, _row(row), body, values.digest(body))
        self._add(replace(entry, only=Way(row.only_way) if row.only_way else None), row.statement_id)

    def _body(self, row: OutboxRow) -> bytes:
        here, channel = self.here, self.channel
        numbering = Channel(here.realm, here.code, channel.peer, Lane(channel.lane), self.outgoing.incarnation)
        seq, prev = self.outgoing.given + 1, self.outgoing.hash
        fields = statements.fields_of(row.statement, numbering, seq, prev, here=here, now=self.now)
        return canonical.write(fields).encode()

    def _add(self, entry: Entry, statement: int | None) -> None:
        self.entries.append((entry, statement))
        self.backlog += Backlog(1, len(entry.body or b""))

    def store(self) -> None:
        channel, outgoing = self.channel, self.outgoing
        changed = ["incarnation", "given", "hash", "dropped", "waiting_bodies", "waiting_bytes"]
        if self.entries:
            channel.idle_until = None
            changed.append("idle_until")
        Sent.objects.bulk_create(
            [_sent(channel, entry, statement, self.now) for entry, statement in self.entries], batch_size=500
        )
        channel.incarnation, channel.given, channel.hash = outgoing.incarnation, outgoing.given, outgoing.hash
        channel.dropped = outgoing.dropped
        channel.waiting_bodies, channel.waiting_bytes = self.backlog.bodies, self.backlog.size_bytes
        channel.save(update_fields=changed)


def _row(row: OutboxRow) -> Row:
    statement = row.statement
    return Row(statement.object, Version(statement.term, statement.n), statement.kind, row.size_bytes)


def _sent(channel: OutChannel, entry: Entry, statement: int | None, now: datetime) -> Sent:
    return Sent(
        channel=channel,
        first=entry.span.first,
        last=entry.span.last,
        prev=entry.span.prev,
        digest=entry.span.digest,
        body=entry.body,
        statement_id=statement,
        size_bytes=len(entry.body or b""),
        skipped=entry.skipped.value if entry.skipped else "",
        made_at=now,
        only_way=entry.only or "",
    )


def _alarm(peer: str, is_full: bool, now: datetime) -> None:
    from tansiq.exchange.node import alarms

    if is_full:
        alarms.raise_alarm(FULL, peer, {}, now)
    elif Alarm.objects.filter(code=FULL, peer=peer, ended_at=None).exists():
        alarms.end_alarm(FULL, peer, now)


@transaction.atomic
def shed(*, excess_bytes: int, now: datetime, peer: str = "") -> int:
    """A disk is short, or with ``peer`` the quota of one link: drop rows without a position (section 8.5).

    The newest of the lowest lane go first; what is urgent stays. The recipients are told by a skip, and compared.

    Returns: rows dropped.
    """
    left, dropped = excess_bytes, 0
    for lane in ORDER_OF_LOSS:
        rows = OutboxRow.objects.filter(lane=lane.value, **({"peer": peer} if peer else {})).order_by("-id")
        chosen: dict[str, list[int]] = {}
        for identifier, to, size in rows.values_list("id", "peer", "size_bytes").iterator(chunk_size=keeping.PAGE):
            if left <= 0:
                break
            left -= size
            chosen.setdefault(to, []).append(identifier)
        for to, ids in sorted(chosen.items()):
            _drop(to, lane, ids, now)
            dropped += len(ids)
    return dropped


def _drop(peer: str, lane: Lane, rows: Sequence[int], now: datetime) -> None:
    channel = keeping.opened(peer, lane)
    for start in range(0, len(rows), keeping.PAGE):
        OutboxRow.objects.filter(id__in=rows[start : start + keeping.PAGE]).delete()
    outgoing = Outgoing(channel.incarnation, channel.given, channel.hash, channel.dropped)
    channel.dropped = sending.drop(outgoing, len(rows)).dropped
    channel.save(update_fields=["dropped"])
    keeping.incomplete(peer, now)
