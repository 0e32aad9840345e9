"""Whom this node hears, when and by which way; and the rows of the channels on which it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from tansiq.exchange import held, program, receiving
from tansiq.exchange.body import Placed, Receipt
from tansiq.exchange.held import Stand
from tansiq.exchange.models import InChannel, Link, OutChannel, Waiting, WayHeard
from tansiq.exchange.node.here import Here
from tansiq.exchange.receipts import Ledger
from tansiq.exchange.requests import Ask
from tansiq.exchange.trust import Authentic
from tansiq.exchange.values import EMPTY_DIGEST, incarnation_number

AT_ONCE = "jetstream"
"""The way that says most of the other's clock: what it carries has not waited."""


@transaction.atomic
def note_heard(here: Here, authentic: Sequence[tuple[Authentic, str]], now: datetime) -> None:
    """When each peer was heard last, by which way, by how much its clock differs from this one (section 14), and which
    program it says that it runs (section 3.1)."""
    epochs: dict[str, int] = {}
    ways: set[tuple[str, str]] = set()
    last_way: dict[str, str] = {}
    facts: dict[str, dict[str, int | str]] = {}
    for body, way in authentic:
        head = body.head
        if head.sender not in here.facts.senders:
            continue
        epochs[head.sender] = max(head.epoch, epochs.get(head.sender, 0))
        ways.add((head.sender, way))
        last_way[head.sender] = way
        if isinstance(head, Receipt) and way == AT_ONCE:
            facts.setdefault(head.sender, {})["clock_offset_ms"] = (head.clock - now) // timedelta(milliseconds=1)
        if isinstance(head, Receipt | Ask) and (said := program.heard(head)):
            facts.setdefault(head.sender, {})["heard_version"] = said
    for peer, epoch in sorted(epochs.items()):
        heard = {"heard_at": now, "heard_way": last_way[peer], "heard_epoch": Greatest(F("heard_epoch"), epoch)}
        said = facts.get(peer, {})
        if not Link.objects.filter(pk=peer).update(**heard, **said):
            Link.objects.bulk_create([Link(peer=peer)], ignore_conflicts=True)
            Link.objects.filter(pk=peer).update(**heard, **said)
    for peer, way in sorted(ways):
        if not WayHeard.objects.filter(peer=peer, way=way).update(heard_at=now):
            WayHeard.objects.update_or_create(peer=peer, way=way, defaults={"heard_at": now})


def begin(head: Placed, *, begun_at: datetime, is_closed: bool) -> InChannel:
    """The row of an incarnation that was not known. Its receipts go on above what the peer has seen of this node's
    former life (section 11.1)."""
    floor = OutChannel.objects.filter(peer=head.sender, lane=head.lane).first()
    ledger = Ledger()
    if floor is not None:
        ledger = held.renumbered(ledger, Stand(head.lane, n=floor.floor_n, changes=floor.floor_changes))
    return InChannel.objects.create(
        peer=head.sender,
        lane=head.lane.value,
        incarnation=head.incarnation,
        number=incarnation_number(head.incarnation),
        begun_at=begun_at,
        hash=EMPTY_DIGEST,
        closed=is_closed,
        n=ledger.n,
        changes=ledger.changes,
        said=ledger.said,
    )


def close(channels: Iterable[InChannel]) -> None:
    """A newer incarnation began: their gaps will not be filled, and what waited above them is applied (section 2.1)."""
    open_ones = [channel for channel in channels if not channel.closed]
    for channel in open_ones:
        channel.closed = True
    keys = [channel.pk for channel in open_ones]
    if keys:
        InChannel.objects.filter(pk__in=keys).update(closed=True)
        Waiting.objects.filter(channel__in=keys, reason=receiving.GAP).update(ready=True)
