"""Receipts: what this node says that it holds (section 3.5). Stored before they leave: no number comes twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q, QuerySet

from tansiq.exchange import program, receipts
from tansiq.exchange.body import MOST_GAPS, MOST_OBJECTS, Lane, ObjectState, Receipt, State, Version
from tansiq.exchange.models import InChannel, ObjectChange
from tansiq.exchange.node import holding, rows
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.positions import cursor_of, gaps
from tansiq.exchange.receipts import LEAST_BETWEEN, MOST_BETWEEN, Holding, Ledger
from tansiq.exchange.values import new_id

MOST = 500
"""Receipts of one call."""


@transaction.atomic
def due_receipts(here: Here, *, now: datetime) -> list[Receipt]:
    """The receipts to be sent now: at most one a second and channel, one an hour while anything is open."""
    if holding.is_held():
        return []
    made: list[Receipt] = []
    changed: list[InChannel] = []
    for channel in _due(here, now)[:MOST]:
        if receipts.is_due(_ledger(channel), open_items=_is_open(channel), now=now):
            made.append(_receipt(here, channel, now))
            changed.append(channel)
    rows.update(changed, ["n", "said", "unsaid", "receipt_at"])
    return made


@transaction.atomic
def all_receipts(here: Here, peer: str, lane: Lane, *, now: datetime) -> list[Receipt]:
    """Receipts for everything that came from ``peer`` on a lane, due or not: those of before may have been lost, and a
    file is not written again soon."""
    if holding.is_held() or peer not in here.peers:
        return []
    made: list[Receipt] = []
    mine = InChannel.objects.select_for_update().filter(peer=peer, lane=lane.value)
    for channel in mine.filter(Q(closed=False) | Q(unsaid=True)).order_by("pk"):
        made.append(_receipt(here, channel, now))
        while channel.unsaid and channel.said < channel.changes:
            made.append(_receipt(here, channel, now))
        channel.save(update_fields=["n", "said", "unsaid", "receipt_at"])
    return made


def _due(here: Here, now: datetime) -> QuerySet[InChannel]:
    """Channels that may be due, the longest silent first; ``receipts.is_due`` decides. Nothing goes to who is no
    member (section 12). What somebody is changing this moment is due a moment later."""
    rested = Q(receipt_at=None) | Q(receipt_at__lte=now - LEAST_BETWEEN)
    open_items = Q(highest__gt=F("through"), closed=False, receipt_at__lte=now - MOST_BETWEEN)
    mine = InChannel.objects.select_for_update(skip_locked=True).filter(peer__in=here.peers)
    return mine.filter((Q(unsaid=True) & rested) | open_items).order_by(F("receipt_at").asc(nulls_first=True), "pk")


def _ledger(channel: InChannel) -> Ledger:
    return Ledger(channel.n, channel.changes, channel.said, channel.unsaid, channel.receipt_at)


def _is_open(channel: InChannel) -> bool:
    return channel.highest > channel.through and not channel.closed


def _receipt(here: Here, channel: InChannel, now: datetime) -> Receipt:
    holding, ledger = receipts.make(
        _ledger(channel),
        cursor_of(channel),
        gaps=gaps(channel, most=MOST_GAPS),
        changed=_changed(channel),
        now=now,
    )
    channel.n, channel.said, channel.unsaid, channel.receipt_at = ledger.n, ledger.said, ledger.unsaid, now
    return _body(here, channel, holding, now)


def _changed(channel: InChannel) -> dict[int, ObjectState]:
    changes = ObjectChange.objects.filter(channel=channel, number__gt=channel.said).order_by("number")
    return {
        one.number: ObjectState(
            object=one.object, version=Version(one.term, one.n), state=State(one.state), reason=one.reason
        )
        for one in changes[:MOST_OBJECTS]
    }


def _body(here: Here, channel: InChannel, said: Holding, now: datetime) -> Receipt:
    return Receipt(
        id=new_id(now),
        realm=here.realm,
        sender=here.code,
        recipient=channel.peer,
        epoch=here.epoch,
        sent_at=now,
        lane=Lane(channel.lane),
        incarnation=channel.incarnation,
        n=said.n,
        through=said.through,
        body_hash=said.body_hash,
        highest=said.highest,
        clock=now,
        gaps=said.gaps,
        objects=said.objects,
        since=said.since,
        changes=said.changes,
        extra=program.SAID,
    )


@transaction.atomic
def on_asked(here: Here, peer: str, lane: Lane, incarnation: str, since: int) -> None:
    """The sender of a channel has every change up to ``since``: the next receipt begins there, and is due."""
    asked: Iterable[InChannel] = InChannel.objects.select_for_update().filter(
        peer=peer, lane=lane.value, incarnation=incarnation
    )
    for channel in asked:
        ledger = receipts.on_asked(_ledger(channel), since=since)
        channel.said, channel.unsaid = ledger.said, ledger.unsaid
        channel.save(update_fields=["said", "unsaid"])
