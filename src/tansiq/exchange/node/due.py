"""Which channels have something to do on a lane: asked several times a second, so by indices and in one query each."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from tansiq.exchange.body import Lane
from tansiq.exchange.models import OutboxRow, OutChannel, Sent
from tansiq.exchange.node.here import Here


def to_seal(here: Here, lane: Lane) -> list[str]:
    """Peers for which rows wait without a position."""
    reached = here.peers | set(here.facts.former)
    waiting = OutboxRow.objects.filter(lane=lane.value).order_by("peer").values_list("peer", flat=True).distinct()
    return [peer for peer in waiting if peer in reached]


def to_attempt(here: Here, lane: Lane, now: datetime) -> list[str]:
    """Peers for which a body was never attempted, is to be sent again at once, or whose lowest is due again."""
    uncovered = Sent.objects.filter(channel=OuterRef("pk"), covered_at=None)
    lowest = uncovered.order_by("first").values("next_at")[:1]
    due = Q(Exists(uncovered.filter(next_at=None))) | Q(lowest_at__lte=now)
    return list(_open(here, lane).annotate(lowest_at=Subquery(lowest)).filter(due).values_list("peer", flat=True))


def uncovered(here: Here, lane: Lane, now: datetime) -> list[str]:
    """Peers from which some receipt is missing, and of which something may be due by now: what seems lost, what goes by
    mail, and what may not go any more are among theirs."""
    may_be_due = Q(idle_until=None) | Q(idle_until__lte=now) | ~Q(peer__in=here.peers)
    return list(_open(here, lane).filter(may_be_due, waiting_bodies__gt=0).values_list("peer", flat=True))


def is_under_way(here: Here, lane: Lane) -> bool:
    """Whether some receipt is missing: else nothing is due before something is put into the outbox."""
    return _open(here, lane).filter(waiting_bodies__gt=0).exists()


def _open(here: Here, lane: Lane) -> QuerySet[OutChannel]:
    reached = here.peers | set(here.facts.former)
    return OutChannel.objects.filter(lane=lane.value, peer__in=reached).exclude(incarnation="").order_by("peer")
