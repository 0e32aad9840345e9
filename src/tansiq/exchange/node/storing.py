"""What a settlement decided, written in a few queries however many objects it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import F, QuerySet

from tansiq.exchange import receiving
from tansiq.exchange.body import ObjectState, State, Version
from tansiq.exchange.models import InChannel, ObjectChange, Recipient, SharedObject, Statement, Waiting, WaitingFor
from tansiq.exchange.node import publishing, recalls, statements, uses
from tansiq.exchange.node.candidates import Arrived, Candidate
from tansiq.exchange.node.rows import insert
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Verdict

if TYPE_CHECKING:
    from tansiq.exchange.node.settlement import Settlement

BATCH = 500
_OF_A_CHANNEL = ("begun_at", "through", "hash", "highest", "frozen", "closed", "changes", "unsaid")
_OF_A_ROW = [
    "kind",
    "self_contained",
    "unfit",
    "refused",
    "refused_by",
    "state",
    "reason",
    "detail",
    "ready",
    "examined",
]


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
    _store_waiting(settlement, writing)
    _wake(settlement)
    _store_changes(settlement, writing)
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


def discard(rows: QuerySet[Waiting]) -> int:
    """Delete what waits, and no longer count it on its channels; how many there were."""
    found = list(rows.values_list("pk", "channel_id", "seq", "size_bytes", "channel__through"))
    Waiting.objects.filter(pk__in=[row[0] for row in found]).delete()
    for key in sorted({row[1] for row in found}):
        of_it = [(seq > through, size) for _pk, channel, seq, size, through in found if channel == key]
        above = [size for is_above, size in of_it if is_above]
        InChannel.objects.filter(pk=key).update(
            waiting_bodies=F("waiting_bodies") - len(of_it),
            waiting_bytes=F("waiting_bytes") - sum(size for _above, size in of_it),
            above_bodies=F("above_bodies") - len(above),
            above_bytes=F("above_bytes") - sum(above),
        )
    return len(found)


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
        uses.note_statements(new, settlement.now)
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


# ---- what waits


def _store_waiting(settlement: Settlement, writing: Writing) -> None:
    new: list[Candidate] = []
    changed: list[Candidate] = []
    gone: list[Candidate] = []
    for candidate, verdict in writing.notes.values():
        row = candidate.row
        is_kept = verdict.is_open or (verdict.state is State.REFUSED and verdict.reason != Reason.LIMIT)
        if not is_kept:
            gone += [candidate] if row.pk else []
            continue
        before = (row.state, row.reason, row.ready)
        row.state, row.reason, row.ready = verdict.state.value, verdict.reason, False
        if row.pk is None:
            new.append(candidate)
        elif candidate.stale or before != (row.state, row.reason, False):
            changed.append(candidate)
    _count(writing, new, 1)
    _count(writing, gone, -1)
    if gone:
        Waiting.objects.filter(pk__in=[candidate.row.pk for candidate in gone]).delete()
    for candidate in new:
        if isinstance(candidate.row, Arrived):
            candidate.row = candidate.row.row()
    if new:
        Waiting.objects.bulk_create([candidate.row for candidate in new], batch_size=BATCH)
    if changed:
        Waiting.objects.bulk_update([candidate.row for candidate in changed], _OF_A_ROW, batch_size=100)
        WaitingFor.objects.filter(waiting__in=[candidate.row.pk for candidate in changed]).delete()
    lacking = [
        WaitingFor(waiting=candidate.row, what=what)
        for candidate in [*new, *changed]
        if candidate.row.state != State.REFUSED
        for what in sorted(settlement.needs.missing(candidate))
    ]
    if lacking:
        WaitingFor.objects.bulk_create(lacking, batch_size=BATCH)
    uses.note_waiting(new, changed, settlement.now)
    for candidate in [*new, *changed]:
        candidate.stale, candidate.has_place = False, candidate.row.reason != receiving.GAP


def _count(writing: Writing, changed: Iterable[Candidate], by: int) -> None:
    for candidate in changed:
        row, channel = candidate.row, candidate.row.channel
        writing.count(channel, "waiting", bodies=by, size_bytes=by * row.size_bytes)
        if row.seq > channel.through:
            writing.count(channel, "above", bodies=by, size_bytes=by * row.size_bytes)


def _store_channel(channel: InChannel, writing: Writing) -> None:
    """What was counted is added: a recall may have deleted what waited here in the meantime."""
    columns = {name: getattr(channel, name) for name in _OF_A_CHANNEL}
    counted = {what: F(what) + by for (key, what), by in writing.counts.items() if key == channel.pk and by}
    InChannel.objects.filter(pk=channel.pk).update(**columns, **counted)


def _wake(settlement: Settlement) -> None:
    """Mark what waited for what is known from now on, as far as it is not settled here."""
    known, settlement.newly_known = settlement.newly_known, set()
    if not known:
        return
    waiting = WaitingFor.objects.filter(what__in=known)
    found = list(waiting.exclude(waiting__object__in=settlement.settled).values_list("waiting_id", flat=True)[:1])
    if found:
        Waiting.objects.filter(pk__in=waiting.values("waiting_id")).exclude(object__in=settlement.settled).update(
            ready=True
        )
        waiting.delete()


# ---- what is said


def _store_changes(settlement: Settlement, writing: Writing) -> None:
    """Number what is new to say of objects, each channel for itself (section 3.5)."""
    said, settlement.changes = settlement.changes, {}
    by_channel: dict[int, list[ObjectState]] = {}
    for (key, _object), state in said.items():
        by_channel.setdefault(key, []).append(state)
    for key, states in by_channel.items():
        channel = settlement.loaded.channels[key]
        before = _said_before(channel, [state.object for state in states])
        changed = [state for state in states if before.get(state.object) != _plain(state)]
        if not changed:
            continue
        rows = [_change(channel, state, channel.changes + at) for at, state in enumerate(changed, start=1)]
        insert(rows, unique=["channel", "object"], update=["number", "term", "n", "state", "reason"])
        channel.changes += len(rows)
        channel.unsaid = True
        writing.channels.add(key)


def _said_before(channel: InChannel, objects: list[str]) -> dict[str, tuple[Version, str, str]]:
    if not channel.changes:
        return {}
    rows = ObjectChange.objects.filter(channel=channel, object__in=objects)
    return {
        identifier: (Version(term, n), state, reason)
        for identifier, term, n, state, reason in rows.values_list("object", "term", "n", "state", "reason")
    }


def _plain(state: ObjectState) -> tuple[Version, str, str]:
    return state.version, state.state.value, state.reason


def _change(channel: InChannel, state: ObjectState, number: int) -> ObjectChange:
    return ObjectChange(
        channel=channel,
        object=state.object,
        number=number,
        term=state.version.term,
        n=state.version.n,
        state=state.state.value,
        reason=state.reason,
    )


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
