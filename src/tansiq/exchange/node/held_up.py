"""What is held up on the way to and from each peer, counted by the database: never gone through."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, OuterRef, QuerySet, Subquery, Sum

from tansiq.exchange.body import Lane, State
from tansiq.exchange.models import OutboxRow, OutChannel, ParkedBody, RecallOrder, Sent, Waiting
from tansiq.exchange.node import orders
from tansiq.exchange.node.standing import Backlog
from tansiq.exchange.receiving import GAP


def backlogs() -> dict[str, dict[Lane, Backlog]]:
    """Of what is sealed the channels keep count, so that a million bodies are not gone through."""
    oldest = Sent.objects.filter(channel=OuterRef("pk"), covered_at=None).order_by("first").values("made_at")[:1]
    sealed = OutChannel.objects.filter(waiting_bodies__gt=0).annotate(oldest_at=Subquery(oldest))
    columns = ("peer", "lane", "waiting_bodies", "waiting_bytes", "oldest_at")
    return _added([*_unsealed(OutboxRow.objects.all()), *sealed.values_list(*columns)])


def backlogs_of(team: str) -> dict[str, dict[Lane, Backlog]]:
    bodies = Sent.objects.filter(covered_at=None, statement__team=team).values_list("channel__peer", "channel__lane")
    sealed = bodies.annotate(Count("pk"), Sum("size_bytes"), Min("made_at")).order_by()
    return _added([*_unsealed(OutboxRow.objects.filter(statement__team=team)), *sealed])


def _unsealed(rows: QuerySet[OutboxRow]) -> QuerySet[OutboxRow, tuple[Any, ...]]:
    grouped = rows.values_list("peer", "lane").annotate(Count("pk"), Sum("size_bytes"), Min("put_at"))
    return grouped.order_by()


def _added(rows: Sequence[tuple[Any, ...]]) -> dict[str, dict[Lane, Backlog]]:
    found: dict[str, dict[Lane, Backlog]] = {}
    for peer, lane, count, size_bytes, oldest_at in rows:
        by_lane = found.setdefault(peer, {})
        by_lane[Lane(lane)] = by_lane.get(Lane(lane), Backlog()) + Backlog(count, size_bytes or 0, oldest_at)
    return found


def waiting(team: str = "") -> dict[tuple[str, str], dict[str, int]]:
    """(peer, state) -> reason -> how many; what is parked as a whole among them, whose objects nobody knows."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    waiting = Waiting.objects.exclude(reason=GAP).exclude(state=State.REFUSED.value)
    if team:
        waiting = waiting.filter(object__startswith=f"{team}:")
    rows = waiting.values_list("channel__peer", "state", "reason").annotate(Count("pk"))
    for peer, state, reason, count in rows.order_by():
        found.setdefault((peer, state), {})[reason] = count
    if team:
        return found
    for peer, reason, count in ParkedBody.objects.values_list("peer", "reason").annotate(Count("pk")).order_by():
        parked = found.setdefault((peer, State.PARKED.value), {})
        parked[reason] = parked.get(reason, 0) + count
    return found


def recalls_open(now: datetime, team: str = "") -> dict[str, tuple[int, int]]:
    """Peer -> how many it has not answered, and how many of these for so long that it counts as unreachable."""
    unanswered = RecallOrder.objects.filter(answered_at=None)
    if team:
        unanswered = unanswered.filter(object__startswith=f"{team}:")
    silent = Count("pk", filter=orders.unreachable(now))
    counts = unanswered.values("peer").annotate(open=Count("pk"), silent=silent).order_by()
    return {row["peer"]: (row["open"], row["silent"]) for row in counts}


def gaps() -> dict[str, int]:
    rows = Waiting.objects.filter(reason=GAP).values_list("channel__peer").annotate(Count("pk"))
    return dict(rows.order_by())
