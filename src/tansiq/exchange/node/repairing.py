"""What follows a comparison: which differences are only under way, and what is sent or recalled for the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from tansiq.exchange.body import Version
from tansiq.exchange.models import Comparison, Link, OutboxRow, RecallOrder, Sent, SharedObject
from tansiq.exchange.node import publishing
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.node.entitlements import markings_in_use, own_live
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.locking import lock
from tansiq.exchange.node.orders import recall_from
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.node.tombstones import recall_of
from tansiq.exchange.receiving import Cause, Recall

PAGE = 5_000


class OwnVersion(NamedTuple):
    object: str
    kind: str
    version: Version
    leaf: str


def own_versions(here: Here, peer: str, now: datetime) -> Iterator[OwnVersion]:
    """This node's own live objects that ``peer`` may have, in no order; decided once for each set of markings."""
    deciding = Deciding(here, now)
    allowed: set[str] = set()
    for some in in_parts(markings_in_use(here)):
        deciding.learn(some)
        allowed |= {key for key in some if deciding.may_have(peer, key)}
    columns = (
        own_live(here)
        .filter(withheld=False)
        .values_list("object", "kind", "statement__term", "statement__n", "statement__leaf", "statement__marking_id")
    )
    for object_id, kind, term, n, leaf, marking in columns.order_by().iterator(chunk_size=PAGE):
        if marking in allowed:
            yield OwnVersion(object_id, kind, Version(term, n), leaf)


def under_way(peer: str, objects: Sequence[str], since: datetime) -> frozenset[str]:
    """Of these objects those of which something is on its way to ``peer``, or arrived there after ``since``."""
    found: set[str] = set()
    for some in in_parts(objects):
        orders = dict(RecallOrder.objects.filter(peer=peer, object__in=some).values_list("statement__object", "object"))
        found |= {name for recall, name in orders.items() if recall is None}
        about = {name: name for name in some} | {recall: name for recall, name in orders.items() if recall}
        for part in in_parts(about):
            rows = OutboxRow.objects.filter(peer=peer, statement__object__in=part)
            bodies = Sent.objects.filter(
                Q(covered_at=None) | Q(covered_at__gte=since), channel__peer=peer, statement__object__in=part
            )
            for query in (rows, bodies):
                found |= {about[name] for name in query.values_list("statement__object", flat=True)}
    return frozenset(found)


@transaction.atomic
def repair(here: Here, peer: str, objects: Collection[str], now: datetime) -> None:
    """Send anew what a comparison showed to be missing or older at ``peer``; recall what it may not have."""
    deciding = Deciding(here, now)
    for some in in_parts(objects):
        shared = SharedObject.objects.filter(object__in=some).select_related("statement").order_by("object")
        lock(shared)
        rows = [row for row in shared if row.statement is not None or recall_of(row) != Recall()]
        deciding.learn({row.statement.marking_id for row in rows if row.statement is not None})
        sent, recalled = [], {}
        for row in rows:
            live = row.statement
            if live is not None and not row.withheld and deciding.may_have(peer, live.marking_id):
                sent.append((live, peer))
            else:
                recalled[row.object] = _forbidding(row, here.epoch)
        publishing.enqueue_all(here, sent, now)
        recall_from(here, peer, recalled, Cause.MARKING, now)


def _forbidding(row: SharedObject, epoch: int) -> Recall:
    """All that this node knows of the object, be it withdrawn, narrowed, or no longer the peer's by a roster."""
    if row.statement is None:
        return recall_of(row)
    version = Version(row.statement.term, row.statement.n)
    return Recall(narrowed=max(version, recall_of(row).narrowed), left=version, epoch=epoch)


def note_equal(peer: str) -> None:
    """A link is equal as of the earlier of its two directions, if the last comparison of both said so."""
    last = [
        Comparison.objects.filter(peer=peer, outward=outward, equal__isnull=False).order_by("-ended_at").first()
        for outward in (True, False)
    ]
    if all(one is not None and one.equal for one in last):
        Link.objects.filter(peer=peer).update(equal_at=min(one.ended_at for one in last if one is not None))
