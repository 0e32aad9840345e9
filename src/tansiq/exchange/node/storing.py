"""What a settlement decided, written in a few queries however many objects it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import F

from tansiq.exchange.body import State, Version
from tansiq.exchange.models import InChannel, Recipient, SharedObject, Statement, Waiting
from tansiq.exchange.node import publishing, recalls, statements, uses
from tansiq.exchange.node.candidates import Candidate
from tansiq.exchange.node.rows import insert
from tansiq.exchange.node.saying import store_changes
from tansiq.exchange.node.waiting_rows import discard, store_waiting, wake_others
from tansiq.exchange.receiving import Verdict

if TYPE_CHECKING:
    from tansiq.exchange.node.settlement import Settlement

BATCH = 500
_OF_A_CHANNEL = ("begun_at", "through", "hash", "highest", "above_spans", "frozen", "closed", "changes", "unsaid")


@dataclass
class Writing:
    """What is to be written, since the last time.

    Attributes:
        shared: ids of objects whose row changed.
        notes: id() of a candidate -> it and what it is now.
        channels: keys of channels whose row changed.
        counts: (key of a channel, column) -> by how much it changed; others may change it meanwhile.
    """

    shared: set[str] = field(default_factory=set)
    notes: dict[int, tuple[Candidate, Verdict]] = field(default_factory=dict)
    channels: set[int] = field(default_factory=set)
    counts: Counter[tuple[int, str]] = field(default_factory=Counter)

    def note(self, candidate: Candidate, verdict: Verdict) -> None:
        self.notes[id(candidate)] = (candidate, verdict)

    def count(self, channel: InChannel, what: str, *, bodies: int, size_bytes: int) -> None:
        """``what``: waiting, above."""
        for column, by in ((f"{what}_bodies", bodies), (f"{what}_bytes", size_bytes)):
            setattr(channel, column, getattr(channel, column) + by)
            self.counts[channel.pk, column] += by
        self.channels.add(channel.pk)


def store(settlement: Settlement) -> None:
    """Write it, and what follows for those to whom this node forwards."""
    writing, settlement.writing = settlement.writing, Writing()
    _store_shared(settlement, [settlement.loaded.shared[identifier] for identifier in sorted(writing.shared)])
    store_waiting(settlement, writing)
    wake_others(settlement)
    store_changes(settlement, writing)
    for key in sorted(writing.channels):
        _store_channel(settlement.loaded.channels[key], writing)
    _go_on(settlement)


def statement_of(candidate: Candidate, came_from: str, now: datetime) -> Statement:
    """Not stored yet: a version may be superseded in the transaction in which it came."""
    envelope = candidate.envelope
    return Statement(
        object=envelope.object,
        term=envelope.version.term,
        n=envelope.version.n,
        leaf=candidate.row.leaf,
        kind=envelope.kind,
        team=envelope.author.team,
        marking_id=statements.marking_key(envelope.marking),
        content=statements.content_of(envelope),
        came_from=came_from,
        made_at=now,
    )


def _store_channel(channel: InChannel, writing: Writing) -> None:
    """What was counted is added: a recall may have deleted what waited here in the meantime."""
    columns = {name: getattr(channel, name) for name in _OF_A_CHANNEL}
    counted = {what: F(what) + by for (key, what), by in writing.counts.items() if key == channel.pk and by}
    InChannel.objects.filter(pk=channel.pk).update(**columns, **counted)


# ---- objects


def _store_shared(settlement: Settlement, rows: list[SharedObject]) -> None:
    if not rows:
        return
    _store_statements(settlement, rows)
    insert(rows, unique=["object"], update=["kind", "statement", "epoch", "proven", "known"])


def _store_statements(settlement: Settlement, rows: list[SharedObject]) -> None:
    """Those that a row names and that are not stored yet."""
    wanted = {id(one): one for row in rows for one in (row.statement, row.proven) if one is not None and one.pk is None}
    if wanted:
        texts = {candidate.row.marking_text for candidate, one in settlement.statements.values() if id(one) in wanted}
        statements.keep_markings(texts)
        _give_keys(wanted.values(), {row.object for row in rows if not row._state.adding})
        new = [one for one in wanted.values() if one.pk is None]
        insert(new)
        _give_keys(new, {one.object for one in new})
        live = (row.statement for row in rows if row.object in settlement.applied)
        uses.note_statements((one for one in live if one is not None and id(one) in wanted), settlement.now)
    for row in rows:  # the keys that they have now
        row.statement, row.proven = row.statement, row.proven
    settlement.statements.clear()


def _give_keys(wanted: Iterable[Statement], objects: set[str]) -> None:
    """The keys of those of them that are stored already, of objects that are."""
    asked = {_identity(one): one for one in wanted if one.object in objects}
    if asked:
        rows = Statement.objects.filter(object__in=objects, leaf__in=[one.leaf for one in asked.values()])
        for row in rows.defer("content"):
            if (one := asked.get(_identity(row))) is not None:
                one.pk = row.pk


def _identity(one: Statement) -> tuple[str, int, int, str, str]:
    return one.object, one.term, one.n, one.leaf, one.marking_id


# ---- what follows


def _go_on(settlement: Settlement) -> None:
    """To those to whom this node forwards: what they may no longer have is recalled, later versions go on (12)."""
    applied, proven = settlement.applied, settlement.proven
    settlement.applied, settlement.proven = set(), set()
    if not applied and not proven:
        return
    _drop_refused(settlement, applied)
    forwards = Recipient.objects.filter(object__in=applied | proven, forwarded=True)
    forwarded = set(forwards.values_list("object", flat=True))
    if not forwarded:
        return
    recalls.review_forwards(settlement.here, sorted(forwarded), settlement.now)
    for identifier in sorted(forwarded & applied):
        statement = settlement.loaded.shared[identifier].statement
        if statement is not None:
            publishing.pass_on(settlement.here, statement, settlement.now)


def _drop_refused(settlement: Settlement, applied: set[str]) -> None:
    """What was refused is of no use to anybody once a later version is here."""
    rows = Waiting.objects.filter(object__in=applied, state=State.REFUSED).values_list("pk", "object", "term", "n")
    older = [
        pk
        for pk, identifier, term, n in rows
        if (live := settlement.loaded.shared[identifier].statement) and Version(term, n) < Version(live.term, live.n)
    ]
    if older:
        discard(Waiting.objects.filter(pk__in=older))
