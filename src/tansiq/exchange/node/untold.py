"""What a sender was not told though its recipient knows it: asked for until it is (sections 3.5 and 3.6).

The receipt that says what became of an object can be lost when all positions are covered; nothing is sent again then
that would bring another.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import F, Q

from tansiq.exchange.body import Lane, State
from tansiq.exchange.models import Link, OutChannel, RecallOrder, Recipient
from tansiq.exchange.node import holding
from tansiq.exchange.node.here import Here
from tansiq.exchange.requests import ReceiptAsked

ANSWER_AFTER = timedelta(seconds=60)
"""After the last receipt: a recall that it covers should have been answered by now."""
STATE_AFTER = timedelta(hours=1)
"""The same for what is parked or quarantined there: it may be applied by now."""
OPEN = (State.PARKED.value, State.QUARANTINED.value)


def due_asks(here: Here, now: datetime) -> Iterator[tuple[str, ReceiptAsked]]:
    """Receipts to be asked for, and of whom. Who asks waits longer each time that the same is asked (section 8.4).

    Asked every few seconds: three queries, however many peers there are.
    """
    if holding.is_held():
        return
    frozen = Link.objects.filter(frozen_at__isnull=False).values("peer")
    unanswered = RecallOrder.objects.filter(answered_at=None, statement__isnull=False).values_list("peer", flat=True)
    recalled = Q(lane=Lane.URGENT.value, peer__in=set(unanswered.distinct()), heard_at__lte=now - ANSWER_AFTER)
    unsettled = Q(unsettled=True, heard_at__lte=now - STATE_AFTER)
    missed = Q(told_changes__gt=F("believed_changes"))
    channels = OutChannel.objects.filter(peer__in=here.peers).exclude(incarnation="").exclude(peer__in=frozen)
    for channel in channels.filter(missed | (Q(waiting_bodies=0) & (recalled | unsettled))).order_by("peer", "lane"):
        is_settled = channel.unsettled and channel.heard_at <= now - STATE_AFTER and not _is_unsettled(channel)
        if not is_settled or channel.told_changes > channel.believed_changes or channel.lane == Lane.URGENT:
            lane, since = Lane(channel.lane), channel.believed_changes
            yield channel.peer, ReceiptAsked(lane=lane, incarnation=channel.incarnation, since=since)


def _is_unsettled(channel: OutChannel) -> bool:
    """Read once an hour, since it may take a look at every object of the peer's."""
    if Recipient.objects.filter(peer=channel.peer, state__in=OPEN).exists():
        return True
    unheard = OutChannel.objects.filter(pk=channel.pk, heard_at=channel.heard_at)  # nothing came meanwhile
    unheard.update(unsettled=False)
    return False
