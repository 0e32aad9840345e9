"""How one node of a lab stands: what of it is still under way, and what it holds of whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import F, Q

from tansiq.exchange.models import (
    Alarm,
    InChannel,
    Link,
    OutboxRow,
    ParkedBody,
    RecallOrder,
    Sent,
    SharedObject,
    Waiting,
)
from tansiq.exchange.node import life, statements
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.own_kinds import UNCOMPARED
from tansiq.exchange.values import write_time
from tansiq.workers.lab import kind
from tansiq.workers.lab.node import become, here
from tansiq.workers.lab.place import Place


def stand(place: Place, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """``peers``: the nodes that count; what waits for others or came from them is passed over."""
    this, _watched = here(become(place, name), place, name)
    peers = said["peers"]
    sent = Sent.objects.filter(covered_at=None, channel__peer__in=peers)
    waiting = Waiting.objects.filter(channel__peer__in=peers)
    gaps = InChannel.objects.filter(peer__in=peers, highest__gt=F("through"), closed=False)
    return {
        "epoch": this.epoch,
        "held": life.is_held(),
        "outbox": OutboxRow.objects.filter(peer__in=peers).count(),
        "uncovered": sent.count(),
        "gaps": gaps.count(),
        "early": ParkedBody.objects.filter(peer__in=peers, reason="clock").count(),
        "parked": waiting.filter(state="parked").count(),
        "quarantined": waiting.filter(state="quarantined").count(),
        "recalls": RecallOrder.objects.filter(peer__in=peers, answered_at=None).count(),
        "frozen": list(Link.objects.exclude(frozen_at=None).order_by("peer").values_list("peer", flat=True)),
        "alarms": sorted(set(Alarm.objects.filter(ended_at=None).values_list("code", flat=True))),
        "equal_at": {
            link.peer: write_time(link.equal_at) for link in Link.objects.filter(peer__in=peers).exclude(equal_at=None)
        },
    }


def holdings(place: Place, name: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """``own``: object -> version, leaf, and the nodes that may have it. ``others``: object -> version, leaf.

    ``notes`` is what the lab's own desk has of others, ``deeds`` what it did, in its order.
    """
    this, watched = here(become(place, name), place, name)
    deciding = Deciding(this, watched.clock())
    audiences: dict[str, list[str]] = {}
    own, others = {}, {}
    rows = SharedObject.objects.filter(Q(statement__isnull=False)).exclude(kind__in=UNCOMPARED)
    for row in rows.select_related("statement__marking").iterator():
        of = row.statement
        version = [of.term, of.n, of.leaf]
        if not this.lives_here(row.owner):
            others[row.object] = version
            continue
        if of.marking_id not in audiences:
            audiences[of.marking_id] = sorted(deciding.peers(statements.markings_of(of)))
        own[row.object] = [*version, [] if row.withheld else audiences[of.marking_id]]
    return {
        "own": own,
        "others": others,
        "notes": _notes(this.team),
        "deeds": _deeds(),
        "lab": sorted(kind.KINDS.values()),
    }


def _notes(team: str) -> dict[str, list[int]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT object, term, n FROM lab_note WHERE object NOT LIKE %s", [f"{team}:%"])
        return {identifier: [term, n] for identifier, term, n in cursor.fetchall()}


def _deeds() -> list[list[Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT object, term, n FROM lab_deed ORDER BY number")
        return [list(row) for row in cursor.fetchall()]
