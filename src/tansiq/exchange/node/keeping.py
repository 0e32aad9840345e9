"""Channels at their sender's end: found, begun anew, and what of them is kept how long (sections 2.1, 8.3 and 8.6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Length

from tansiq.exchange.body import Lane, SkipReason, State
from tansiq.exchange.channel import KEPT
from tansiq.exchange.models import (
    Life,
    Link,
    OutboxRow,
    OutChannel,
    RecallOrder,
    Recipient,
    RosterRecord,
    Sent,
    SharedObject,
    Statement,
)
from tansiq.exchange.node.locking import lock
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.receipts import Holding
from tansiq.exchange.values import EMPTY_DIGEST

PAGE = 2_000
REFUSED = "refused"
"""How the order of a recall ended that its recipient did not heed."""


def locked(peer: str, lane: Lane) -> OutChannel | None:
    """The channel, which nobody else changes until this transaction ends; None where nothing was ever sealed."""
    return OutChannel.objects.select_for_update().filter(peer=peer, lane=lane.value).first()


def opened(peers: Collection[str], lane: Lane) -> dict[str, OutChannel]:
    """Peer -> its channel, by peer, locked as above, made if there is none."""
    there = OutChannel.objects.filter(peer__in=peers, lane=lane.value).values_list("peer", flat=True)
    _make((one, lane.value) for one in set(peers).difference(there))
    return _locked(peers, lane)


def opened_in_order(channels: Collection[tuple[str, str]]) -> dict[tuple[str, str], OutChannel]:
    """(Peer, lane) -> its channel: of several lanes, locked in the order in which all do it, made if there is none."""
    _make(channels)
    return {(peer, lane): row for peer, lane in sorted(channels) if (row := locked(peer, Lane(lane))) is not None}


def _make(channels: Iterable[tuple[str, str]]) -> None:
    """Those that are not there. Before any is locked: who makes one waits for whoever is making it already."""
    made = [
        OutChannel(peer=peer, lane=lane, hash=EMPTY_DIGEST, believed_hash=EMPTY_DIGEST)
        for peer, lane in sorted(channels)
    ]
    OutChannel.objects.bulk_create(made, ignore_conflicts=True)


def _locked(peers: Collection[str], lane: Lane) -> dict[str, OutChannel]:
    rows = OutChannel.objects.select_for_update().filter(peer__in=peers, lane=lane.value)
    return {row.peer: row for row in rows.order_by("peer")}


def is_silent(peer: str) -> bool:
    """Nothing goes to it: this node is held, or the two are frozen (sections 11.1 and 11.2)."""
    return bool(silent([peer]))


def silent(peers: Collection[str]) -> set[str]:
    """Of these those to which nothing goes."""
    if Life.objects.filter(held_since__isnull=False).exists():
        return set(peers)
    frozen = Link.objects.filter(frozen_at__isnull=False).values_list("peer", flat=True)
    return set(frozen) & set(peers)


def is_outdated(epoch: int) -> bool:
    """A later roster counts than the one by which somebody is about to decide: what it recalls was settled already."""
    return RosterRecord.objects.filter(epoch__gt=epoch).exists()


def belief_of(channel: OutChannel) -> Holding:
    """What the recipient's receipts made this node believe of it."""
    return Holding(
        n=channel.believed_n,
        through=channel.believed_through,
        body_hash=channel.believed_hash,
        highest=channel.believed_highest,
        gaps=tuple((first, last) for first, last in channel.believed_gaps),
        changes=channel.believed_changes,
    )


def incomplete(peer: str, now: datetime) -> None:
    """From now until a comparison has shown otherwise, the two are not known to be equal."""
    Link.objects.bulk_create([Link(peer=peer)], ignore_conflicts=True)
    note_incomplete(Link.objects.filter(peer=peer), now)


def note_incomplete(links: QuerySet[Link], now: datetime) -> None:
    """Also where it is known already: a comparison that is under way does not know of this (section 13)."""
    links.update(incomplete_since=Coalesce("incomplete_since", now), times_incomplete=F("times_incomplete") + 1)


def still(objects: Mapping[str, Collection[str] | None]) -> None:
    """What waits of these objects gets no position and is not attempted until this transaction ends; what was being
    attempted is known as such.

    Args:
        objects: those to whom it must not go; None: nobody.
    """
    if not connection.features.has_select_for_update:
        return
    found: set[tuple[str, str, str]] = set()
    for some in in_parts(objects):
        rows = OutboxRow.objects.filter(statement__object__in=some)
        bodies = Sent.objects.filter(statement__object__in=some, covered_at=None)
        found |= set(rows.values_list("peer", "lane", "statement__object"))
        found |= set(bodies.values_list("channel__peer", "channel__lane", "statement__object"))
    concerned = {(peer, lane) for peer, lane, one in found if (to := objects[one]) is None or peer in to}
    opened_in_order(concerned)  # the first may be about to be sealed there


def renumber(channel: OutChannel, now: datetime, *, requeue: bool) -> None:
    """End the channel's incarnation; the next body begins another (section 2.1). In the caller's transaction.

    Args:
        requeue: what no receipt covers goes into the outbox again, recalls that were not obeyed, and what was last said
            to wait: what is said of them on a former incarnation is not heard any more. Else all is dropped, as after a
            restore.
    """
    if requeue:
        _requeue(channel, now)
    Sent.objects.filter(channel=channel).delete()
    if channel.incarnation:
        channel.former = [*channel.former, channel.incarnation]
    channel.incarnation, channel.given, channel.hash, channel.dropped = "", 0, EMPTY_DIGEST, 0
    channel.waiting_bodies = channel.waiting_bytes = channel.pruned_through = 0
    channel.believed_n = channel.believed_through = channel.believed_highest = channel.believed_changes = 0
    channel.told_changes, channel.unsettled = 0, False
    channel.believed_hash, channel.believed_gaps, channel.heard_at = EMPTY_DIGEST, [], None
    channel.idle_until = None
    channel.save()


def _requeue(channel: OutChannel, now: datetime) -> None:
    recalls = _not_obeyed(channel.peer)
    waits = Recipient.objects.filter(peer=channel.peer, state__in=(State.PARKED.value, State.QUARANTINED.value))
    bodies = Sent.objects.filter(channel=channel, statement__isnull=False)
    again = bodies.filter(
        Q(covered_at=None) | Q(statement__in=recalls) | Q(statement__object__in=waits.values("object"))
    )
    sizes = again.order_by("first").values_list("statement_id", "size_bytes").iterator(chunk_size=PAGE)
    if channel.lane == Lane.URGENT:  # on which all recalls are: also those whose bodies are kept no longer
        gone = Statement.objects.filter(pk__in=recalls).exclude(pk__in=bodies.values("statement"))
        gone = gone.exclude(pk__in=OutboxRow.objects.filter(peer=channel.peer).values("statement"))
        sizes = chain(gone.order_by("pk").values_list("pk", Length("content")), sizes)
    rows = (
        OutboxRow(peer=channel.peer, lane=channel.lane, statement_id=statement, size_bytes=size, put_at=now)
        for statement, size in sizes
    )
    OutboxRow.objects.bulk_create(rows, batch_size=500)


def _not_obeyed(peer: str) -> QuerySet[RecallOrder, Any]:
    """Statements of the recalls of which ``peer`` has not said that it obeyed them. One that it refused, since it
    lacked something, may be obeyed later."""
    orders = RecallOrder.objects.filter(Q(answered_at=None) | Q(outcome=REFUSED), peer=peer, statement__isnull=False)
    return orders.values("statement")


@transaction.atomic
def destroy(statements: Collection[int]) -> int:
    """Destroy the bytes of what may no longer go to anybody: positions that carried it become skips (section 8.3).

    Returns: how many.
    """
    carrying = Sent.objects.filter(statement__in=statements)
    channels = sorted(carrying.values_list("channel", flat=True).distinct())
    lock(OutChannel.objects.filter(pk__in=channels), "peer", "lane")
    waiting = carrying.filter(covered_at=None).values("channel").annotate(size=Sum("size_bytes")).order_by()
    for one in list(waiting):
        OutChannel.objects.filter(pk=one["channel"]).update(waiting_bytes=F("waiting_bytes") - one["size"])
    return carrying.update(body=None, statement=None, size_bytes=0, skipped=SkipReason.ENTITLEMENT.value)


@transaction.atomic
def prune(now: datetime, *, most: int = 50_000) -> int:
    """Delete what was acknowledged 90 days ago: bodies, what became of recalls, versions that nobody refers to.

    Returns: rows deleted; call it again until there are none.
    """
    over = Sent.objects.filter(covered_at__lte=now - KEPT)
    ids = list(over.order_by("covered_at").values_list("id", flat=True)[:most])
    deleted = 0
    for start in range(0, len(ids), PAGE):
        chosen = Sent.objects.filter(id__in=ids[start : start + PAGE])
        for one in list(chosen.values("channel").annotate(last=Max("last")).order_by("channel")):
            below = OutChannel.objects.filter(pk=one["channel"], pruned_through__lt=one["last"])
            below.update(pruned_through=one["last"])
        deleted += chosen.delete()[0]
    deleted += RecallOrder.objects.filter(answered_at__lte=now - KEPT).delete()[0]
    return deleted + _prune_statements(now, most)


def _prune_statements(now: datetime, most: int) -> int:
    """Earlier versions that nothing carries any more, once they are as old as a body may be."""
    mine = Q(statement=OuterRef("pk"))
    unused = Statement.objects.filter(
        ~Exists(SharedObject.objects.filter(mine | Q(proven=OuterRef("pk")))),
        ~Exists(OutboxRow.objects.filter(mine)),
        ~Exists(Sent.objects.filter(mine)),
        ~Exists(RecallOrder.objects.filter(mine)),
        made_at__lte=now - KEPT,
    )
    ids = list(unused.values_list("id", flat=True)[:most])
    return sum(
        Statement.objects.filter(id__in=ids[start : start + PAGE]).delete()[0] for start in range(0, len(ids), PAGE)
    )
