"""Comparisons that a peer opens, of its objects: answered from what is here of them (section 13)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from tansiq.exchange import turns
from tansiq.exchange.body import Lane
from tansiq.exchange.compare import Items, item_of
from tansiq.exchange.models import Comparison, InChannel, Link
from tansiq.exchange.node import alarms, life
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.possession import compared
from tansiq.exchange.node.repairing import note_equal
from tansiq.exchange.requests import ComparisonAsked, ComparisonGiven, CutAt, Outcome
from tansiq.exchange.values import Unfit

KEPT = timedelta(minutes=5)
"""For how long the items of a comparison stay in memory after its last turn."""
LEAST_BETWEEN_READINGS = timedelta(seconds=10)
MOST_ITEMS = 2_000_000
"""In memory when those of another comparison are read: 128 MB."""


@dataclass
class Answered:
    """A comparison that a peer has opened."""

    comparison: str
    items: Items
    read_at: datetime
    used_at: datetime


_answered: dict[tuple[str, str], Answered] = {}
"""(node, peer) -> the last comparison that it opened."""


def shared_in(here: Here, peer: str) -> Iterator[tuple[bytes, bytes]]:
    """(key, leaf) of ``peer``'s objects that this node has: applied, parked, quarantined or refused."""
    return (item_of(one.object, one.kind, one.version, one.leaf) for one in compared(here, peer))


def _received_cut(peer: str) -> list[CutAt]:
    newest: dict[str, InChannel] = {}
    for one in InChannel.objects.filter(peer=peer).order_by("number", "incarnation"):
        newest[one.lane] = one
    return [CutAt(lane=Lane(one.lane), incarnation=one.incarnation, position=one.through) for one in newest.values()]


@transaction.atomic
def on_ask(here: Here, peer: str, asked: ComparisonAsked, now: datetime) -> list[ComparisonGiven]:
    """Answer a turn from what is here of ``peer``'s objects; nothing, while this node is held or has no room."""
    if peer not in here.peers or life.is_held():
        return []
    if asked.turn == 0:
        life.to_compare([peer], now)
        return []
    row, _is_new = Comparison.objects.get_or_create(
        id=asked.comparison, defaults={"peer": peer, "outward": False, "began_at": now, "last_at": now}
    )
    if row.peer != peer or row.outward:
        return []
    if asked.outcome is not None:
        _note_outcome(here, row, asked.outcome, now)
        return [ComparisonGiven(comparison=asked.comparison, turn=asked.turn)]
    items = _items(here, peer, asked.comparison, now)
    if items is None:
        return []
    try:
        given = turns.answered(items, asked, cut=_received_cut(peer))
    except Unfit as unfit:
        alarms.raise_alarm("exchange.comparison", peer, {"field": str(unfit.values["field"])}, now)
        return []
    Comparison.objects.filter(pk=row.pk).update(last_at=now, turn=asked.turn)
    return [given]


def _items(here: Here, peer: str, comparison: str, now: datetime) -> Items | None:
    """What is answered from: read once for each comparison. A peer has one at a time, and no new one each moment."""
    _forget(now)
    where = (here.code, peer)
    before = _answered.get(where)
    if before is not None and before.comparison == comparison:
        before.used_at = now
        return before.items
    if before is not None and timedelta(0) <= now - before.read_at < LEAST_BETWEEN_READINGS:
        return None
    _answered.pop(where, None)
    if sum(len(one.items) for one in _answered.values()) > MOST_ITEMS:
        return None
    items = Items(shared_in(here, peer))
    _answered[where] = Answered(comparison, items, now, now)
    return items


def _forget(now: datetime) -> None:
    for where, one in list(_answered.items()):
        one.used_at = min(one.used_at, now)  # a clock that was put back (section 14)
        if one.used_at <= now - KEPT:
            del _answered[where]


def _note_outcome(here: Here, row: Comparison, outcome: Outcome, now: datetime) -> None:
    answered = _answered.get((here.code, row.peer))
    if answered is not None and answered.comparison == row.pk:
        del _answered[here.code, row.peer]
    row.different, row.in_flight = outcome.differences, outcome.in_flight
    row.equal = outcome.differences == 0 and outcome.in_flight == 0
    row.ended_at = row.last_at = now
    row.save()
    Link.objects.bulk_create([Link(peer=row.peer)], ignore_conflicts=True)
    note_equal(row.peer)
