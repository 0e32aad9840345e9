"""Rows of what waits: written, deleted, counted on their channels, and woken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import F, QuerySet

from tansiq.exchange import receiving
from tansiq.exchange.body import State
from tansiq.exchange.models import InChannel, Waiting, WaitingFor
from tansiq.exchange.node import uses
from tansiq.exchange.node.candidates import Arrived, Candidate
from tansiq.exchange.reasons import Reason

if TYPE_CHECKING:
    from tansiq.exchange.node.settlement import Settlement
    from tansiq.exchange.node.storing import Writing

BATCH = 500
_OF_A_ROW = [
    *("kind", "leaf", "self_contained", "proven", "unfit", "refused", "refused_by", "detail", "examined", "not_before"),
    *("state", "reason", "ready"),
]


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


def store_waiting(settlement: Settlement, writing: Writing) -> None:
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


def wake_others(settlement: Settlement) -> None:
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
