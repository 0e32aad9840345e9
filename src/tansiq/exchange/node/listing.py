"""What of a node's links is listed, as far as whoever looks may see it: positions, kinds, ids, sizes, reasons, times.

Payloads are in one place only, ``content``, and there the sharing decision is asked (section 7).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When

from tansiq.audit import actions as audit
from tansiq.core.decision import Decision
from tansiq.core.marking import Marking, Tlp
from tansiq.exchange import markings, reading
from tansiq.exchange.body import Placed, State
from tansiq.exchange.kinds import owner_of
from tansiq.exchange.models import Comparison, Evidence, ParkedBody, RecallHeard, RecallOrder, Sent, Waiting
from tansiq.exchange.node import life, orders, settling
from tansiq.exchange.node.looking import Look
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import GAP
from tansiq.exchange.trust import Authentic
from tansiq.exchange.values import Unfit
from tansiq.sharing.rules import strictest

PAGE = 50
LOOKED_THROUGH = 2_000
"""Of what waits the latest so many are looked through for somebody who may see only some of it."""
OPEN = (State.PARKED.value, State.QUARANTINED.value)
STATES = (*OPEN, State.REFUSED.value)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of rows, the newest first. ``older``: what to ask for the next page by; None on the last."""

    rows: Sequence[Any]
    older: int | None = None


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A version that waits here, or was refused. ``may``: have it tried again, refuse it, read it."""

    number: int
    peer: str
    lane: str
    position: int
    kind: str
    object: str
    version: tuple[int, int]
    team: str
    size_bytes: int
    state: str
    reason: str
    refused_by: str
    way: str
    arrived_at: datetime
    may: Decision

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a version that waits. ``payload``: indented; only for whom the sharing decision lets see it."""

    sent_at: datetime | None
    markings: tuple[Marking, ...]
    person: str
    payload: str


# ---- what waits


def waiting(look: Look, *, state: str = "", peer: str = "", reason: str = "", before: int | None = None) -> Listed:
    """Parked and quarantined versions, or with ``state`` those of one; what waits for a gap alone is not listed."""
    rows = Waiting.objects.exclude(reason=GAP).filter(state__in=[state] if state in STATES else OPEN)
    if peer:
        rows = rows.filter(channel__peer=peer)
    if reason:
        rows = rows.filter(reason=reason)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    ordered = rows.select_related("channel").defer("body").order_by("-pk")
    if not look.is_whole:
        return _of_theirs(look, ordered)
    found = [_waiting_row(look, row) for row in ordered[: PAGE + 1]]
    return _paged(found, lambda row: row.number)


def _of_theirs(look: Look, rows: QuerySet[Waiting]) -> Listed:
    found = []
    for row in rows[:LOOKED_THROUGH].iterator(chunk_size=200):
        entry = _waiting_row(look, row)
        if _is_theirs(look, entry):
            found.append(entry)
        if len(found) > PAGE:
            break
    return _paged(found, lambda row: row.number)


def _is_theirs(look: Look, entry: WaitingRow) -> bool:
    """Of their own team, or shown to them by its marking."""
    return owner_of(entry.object) == look.team or bool(entry.may)


def waiting_one(look: Look, number: int) -> WaitingRow | None:
    """None, too, where it is not for these eyes."""
    rows = Waiting.objects.exclude(reason=GAP).select_related("channel").defer("body")
    row = rows.filter(pk=number).first()
    if row is None:
        return None
    entry = _waiting_row(look, row)
    return entry if look.is_whole or _is_theirs(look, entry) else None


def _waiting_row(look: Look, row: Waiting) -> WaitingRow:
    return WaitingRow(
        number=row.pk,
        peer=row.channel.peer,
        lane=row.channel.lane,
        position=row.seq,
        kind=row.kind,
        object=row.object,
        version=(row.term, row.n),
        team=row.team,
        size_bytes=row.size_bytes,
        state=row.state,
        reason=row.reason,
        refused_by=row.refused_by,
        way=row.way,
        arrived_at=row.arrived_at,
        may=settling.may_decide(row, by=look.viewer, now=look.now),
    )


def content(look: Look, entry: WaitingRow) -> Content | None:
    """What is in it. None: it may not be shown to them, cannot be read, or this node is held.

    A node that is held shows nothing of others: it may be recalled by now. That somebody read what is TLP:RED is
    recorded.
    """
    if not entry.may or life.is_held():
        return None
    row = Waiting.objects.get(pk=entry.number)
    try:
        head = Authentic.stored(bytes(row.body), signer=row.signer).head
        assert isinstance(head, Placed)
        envelope = reading.read_envelope(head)
        marked = markings.read(row.marking_text)
    except Unfit:
        return None
    if strictest(marked) is Tlp.RED:
        audit.record_read(("object", entry.object), by=look.viewer, now=look.now)
    written = json.dumps(json.loads(envelope.payload), ensure_ascii=False, indent=2)
    return Content(sent_at=head.sent_at, markings=marked, person=envelope.author.person, payload=written)


def parked_bodies(look: Look, *, peer: str = "") -> list[dict[str, Any]]:
    """Bodies that wait as a whole, for a roster or for the time: whose objects they are nobody knows yet."""
    if not look.is_whole:
        return []
    rows = ParkedBody.objects.filter(**({"peer": peer} if peer else {})).order_by("-arrived_at")
    return list(rows.values("peer", "lane", "reason", "epoch", "sent_at", "arrived_at", "way")[:PAGE])


# ---- what was sent


def sent(look: Look, peer: str, *, before: int | None = None) -> Listed:
    """Positions given towards ``peer`` and what became of them, as headers."""
    rows = Sent.objects.filter(channel__peer=peer).select_related("channel", "statement").defer("body")
    rows = rows.defer("body", "statement__content")
    if look.team:
        rows = rows.filter(statement__team=look.team)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return _paged(list(rows.order_by("-pk")[: PAGE + 1]), lambda row: row.pk)


# ---- recalls


def recalls_ordered(look: Look, *, now: datetime, peer: str = "", before: int | None = None) -> Listed:
    """What became of this node's recalls is ``shown``: empty while nobody has answered, after a day ``unreachable``."""
    silent = When(orders.unreachable(now), then=Value(Reason.UNREACHABLE.value))
    rows = RecallOrder.objects.annotate(shown=Case(silent, default=F("outcome")))
    if look.team:
        rows = rows.filter(object__startswith=f"{look.team}:")
    if peer:
        rows = rows.filter(peer=peer)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return _paged(list(rows.order_by("-pk")[: PAGE + 1]), lambda row: row.pk)


def recalls_heard(look: Look) -> list[RecallHeard]:
    """The latest that came, and what was done about them. They are of others' objects: not for a guest of this node."""
    return list(RecallHeard.objects.order_by("-pk")[:PAGE]) if look.is_whole else []


# ---- a link's history


def comparisons(look: Look, peer: str, *, most: int = 20) -> list[Comparison]:
    rows = (
        Comparison.objects.filter(peer=peer).order_by("-began_at", "-pk")
        if look.is_whole
        else Comparison.objects.none()
    )
    return list(rows[:most])


def evidence(look: Look, peer: str) -> list[Evidence]:
    """What speaks for two machines under one name; the bodies themselves are for the node's own machine."""
    rows = Evidence.objects.filter(peer=peer).defer("body", "other_body").order_by("-seen_at")
    return list(rows[:PAGE]) if look.is_whole else []


def _paged(found: list[Any], number_of: Any) -> Listed:
    rows = found[:PAGE]
    return Listed(rows, number_of(rows[-1]) if len(found) > PAGE else None)
