"""One channel while it is sealed: rows in, positions and bodies out, the first attempts with them (section 8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tansiq.exchange import canonical, held, recall, sending, values
from tansiq.exchange.body import Channel, Lane, Version
from tansiq.exchange.models import OutboxRow, OutChannel, Sent
from tansiq.exchange.node import keeping, leaving, rows, statements
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.leaving import Attempt
from tansiq.exchange.sending import Backlog, Entry, Outgoing, Room, Row, Way

_CHANGED = ("incarnation", "given", "hash", "dropped", "waiting_bodies", "waiting_bytes", "idle_until")


@dataclass
class Sealer:
    """One channel.

    Attributes:
        may_go: statements that its recipient may have now.
        contents: statement -> its fields; the same for all channels that it goes to.
        entries: what got positions, and the object that each carries; of a skip and of a recall none.
        is_full: rows were left, for want of room.
    """

    here: Here
    channel: OutChannel
    may_go: set[int]
    contents: Mapping[int, dict[str, Any]]
    now: datetime
    entries: list[tuple[Entry, OutboxRow | None]] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    dropped: int = 0
    is_full: bool = False

    def __post_init__(self) -> None:
        channel = self.channel
        self.lane = Lane(channel.lane)
        self.outgoing = Outgoing(channel.incarnation, channel.given, channel.hash, channel.dropped)
        self.backlog = Backlog(channel.waiting_bodies, channel.waiting_bytes)

    def take(self, waiting: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Those that were dealt with; the rest waits, in its order."""
        for number, row in enumerate(waiting):
            match sending.room(self.lane, self.backlog, _row(row), limits=self.here.limits):
                case Room.WAIT:
                    self.is_full = True
                    return waiting[:number]
                case Room.DROP:
                    self.outgoing = sending.drop(self.outgoing)
                    self.dropped += 1
                case Room.SEAL if row.statement_id in self.may_go:
                    self._seal(row)
        return waiting

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
        self._add(replace(entry, only=Way(row.only_way) if row.only_way else None), row)

    def _body(self, row: OutboxRow) -> bytes:
        here, channel = self.here, self.channel
        numbering = Channel(here.realm, here.code, channel.peer, self.lane, self.outgoing.incarnation)
        seq, prev = self.outgoing.given + 1, self.outgoing.hash
        content = self.contents[row.statement_id]
        return canonical.write(statements.placed(content, numbering, seq, prev, here=here, now=self.now)).encode()

    def _add(self, entry: Entry, row: OutboxRow | None) -> None:
        self.entries.append((entry, row))
        self.backlog += Backlog(1, len(entry.body or b""))

    def attempt(self) -> None:
        """What has just got a position leaves at once: it was decided in this very transaction (section 8.3)."""
        here, channel, belief = self.here, self.channel, keeping.belief_of(self.channel)
        channel.incarnation = self.outgoing.incarnation
        chosen = sending.due(
            [entry for entry, _row in self.entries],
            belief,
            lane=self.lane,
            has_mail=bool(here.address_of(channel.peer)),
            heard_at=channel.heard_at,
            now=self.now,
            window=here.window,
        )
        after: dict[int, Entry] = {}
        for entry, ways in chosen:
            after[entry.span.first] = tried = sending.attempted(entry, ways, lane=self.lane, now=self.now)
            self.attempts.append(leaving.attempt(here, channel, tried, ways, entry.body, self.now))
        self.entries = [(after.get(entry.span.first, entry), row) for entry, row in self.entries]

    def objects(self) -> set[str]:
        """Of what was attempted, without recalls: what may be there from now on."""
        carried = (row.statement for entry, row in self.entries if row is not None and entry.first_sent_at)
        return {one.object for one in carried if one.kind != recall.KIND}

    def sent(self) -> list[Sent]:
        return [_sent(self.channel, entry, row, self.now) for entry, row in self.entries]

    def settle(self) -> OutChannel:
        """The channel's row as it is now."""
        channel, outgoing = self.channel, self.outgoing
        if self.entries:
            channel.idle_until = self._idle_until()
        channel.incarnation, channel.given, channel.hash = outgoing.incarnation, outgoing.given, outgoing.hash
        channel.dropped = outgoing.dropped
        channel.waiting_bodies, channel.waiting_bytes = self.backlog.bodies, self.backlog.size_bytes
        return channel

    def _idle_until(self) -> datetime | None:
        """When something of it is due again, if until then nothing is heard (section 8.4); None: perhaps now."""
        if not self.attempts:
            return None
        is_alone = not self.channel.waiting_bodies
        if not is_alone and self.channel.idle_until is None:
            return None
        tried = [entry for entry, _row in self.entries if entry.first_sent_at]
        has_mail = bool(self.here.address_of(self.channel.peer))
        found = [self.channel.idle_until] if not is_alone else [tried[0].next_at]
        found += [sending.mail_at(entry, self.lane) for entry in tried] if has_mail else []
        return min((at for at in found if at is not None), default=None)


def store(sealers: Collection[Sealer], now: datetime) -> None:
    """What all of them did, in a few statements. Before it returns nothing of it may leave."""
    rows.insert([one for sealer in sealers for one in sealer.sent()])
    leaving.mark({sealer.channel.peer: sealer.objects() for sealer in sealers}, now)
    rows.update([sealer.settle() for sealer in sealers], _CHANGED)


def contents_of(waiting: Iterable[OutboxRow], here: Here) -> dict[int, dict[str, Any]]:
    return {
        row.statement_id: statements.content_fields(row.statement, here)
        for row in {row.statement_id: row for row in waiting}.values()
    }


def _row(row: OutboxRow) -> Row:
    statement = row.statement
    return Row(statement.object, Version(statement.term, statement.n), statement.kind, row.size_bytes)


def _sent(channel: OutChannel, entry: Entry, row: OutboxRow | None, now: datetime) -> Sent:
    by_backbone = entry.attempts > 0
    return Sent(
        channel=channel,
        first=entry.span.first,
        last=entry.span.last,
        prev=entry.span.prev,
        digest=entry.span.digest,
        body=entry.body,
        statement_id=row.statement_id if row is not None else None,
        size_bytes=len(entry.body or b""),
        skipped=entry.skipped.value if entry.skipped else "",
        made_at=now,
        only_way=entry.only or "",
        attempts=entry.attempts,
        tried_at=now if by_backbone else None,
        next_at=entry.next_at,
        mailed=entry.mailed,
        next_mail_at=entry.next_mail_at,
        first_sent_at=entry.first_sent_at,
    )
