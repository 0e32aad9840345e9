"""Recalls that this node orders, one for each object and peer, and what became of them (section 12).

An order is written in the transaction of what makes it necessary; it is signed and put into the outbox at once where
there are few, and in batches where a roster orders a million.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange import recall as recalls
from tansiq.exchange.body import ObjectState, State, Version
from tansiq.exchange.models import RecallOrder, Recipient
from tansiq.exchange.node import publishing, statements
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.keeping import REFUSED
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.node.statements import Text
from tansiq.exchange.node.tombstones import FIELDS, columns, recall_of
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Cause, Recall
from tansiq.exchange.values import new_id

SIGNED_AT_ONCE = 100
FIRST = Version(1, 1)
DELETED, KEPT = "deleted", "kept"
"""How an order ended, as its originator sees it; or ``REFUSED``."""
UNREACHABLE_AFTER = timedelta(hours=24)
"""So long an order has no answer, and is ``unreachable`` then, until there is one (section 12)."""


def unreachable(now: datetime) -> Q:
    """Orders that were met with silence for too long. Asked of the clock when they are shown; nothing is written."""
    return Q(answered_at=None, ordered_at__lte=now - UNREACHABLE_AFTER)


@transaction.atomic
def recall_from(here: Here, peer: str, objects: Mapping[str, Recall], cause: Cause, now: datetime) -> None:
    """Have ``peer`` delete these objects. What it was ordered before is joined."""
    for some in in_parts(sorted(objects)):
        before = {row.object: row for row in Recipient.objects.filter(peer=peer, object__in=some)}
        joined = {object_id: recall_of(before.get(object_id)).joined(objects[object_id]) for object_id in some}
        Recipient.objects.bulk_create(
            [Recipient(object=object_id, peer=peer, **columns(recall)) for object_id, recall in joined.items()],
            update_conflicts=True,
            unique_fields=["object", "peer"],
            update_fields=FIELDS,
        )
        orders = [RecallOrder(object=object_id, peer=peer, cause=cause.value, ordered_at=now) for object_id in some]
        RecallOrder.objects.bulk_create(orders)
    if len(objects) <= SIGNED_AT_ONCE:
        sign_recalls(here, now=now, only=list(objects), peer=peer)


@transaction.atomic
def sign_recalls(
    here: Here, *, now: datetime, most: int = 500, only: Sequence[str] | None = None, peer: str | None = None
) -> int:
    """Sign orders and put them into the outbox, the oldest first. Returns: how many; below ``most``: no more are left.

    Args:
        only, peer: of these objects and that peer alone.
    """
    unsigned = RecallOrder.objects.select_for_update().filter(statement=None).order_by("id")
    if only is not None:
        unsigned = unsigned.filter(object__in=only, peer=peer)
    orders = list(unsigned[:most])
    for some in in_parts(orders):
        _sign(here, some, now)
    return len(orders)


def _sign(here: Here, orders: Sequence[RecallOrder], now: datetime) -> None:
    """One recall for each object and peer, even where both were ordered twice."""
    peers = {order.peer for order in orders}
    rows = Recipient.objects.filter(peer__in=peers, object__in={order.object for order in orders})
    recall_by = {(row.object, row.peer): recall_of(row) for row in rows}
    wanted = list(dict.fromkeys((order.object, order.peer) for order in orders))
    markings = {peer: [_marking(here, peer)] for peer in peers}
    texts = [
        Text(
            kind=recalls.KIND,
            object=f"{here.team}:{recalls.name(new_id(now))}",
            version=FIRST,
            payload=recalls.write(object_id, recall_by[object_id, peer]),
            markings=markings[peer],
            team=here.team,
            epoch=here.epoch_for(peer),
        )
        for object_id, peer in wanted
    ]
    signed = dict(zip(wanted, statements.state_all(here, texts, now), strict=True))
    publishing.enqueue_all(here, ((statement, peer) for (_object_id, peer), statement in signed.items()), now)
    for order in orders:
        order.statement = signed[order.object, order.peer]
    RecallOrder.objects.bulk_update(orders, ["statement"], batch_size=200)


def _marking(here: Here, peer: str) -> Marking:
    """For the peer's teams; a recall says nothing of the content, and goes to who may have nothing else, too."""
    operator = here.removed[peer].team if peer in here.removed else here.operators.get(peer, "")
    teams = here.teams_of.get(peer) or {operator} - {""}
    return Marking(Tlp.AMBER_STRICT, here.team, Audience.of(teams=teams))


@transaction.atomic
def on_states(here: Here, peer: str, states: Iterable[ObjectState], now: datetime) -> None:
    """What a receipt of ``peer`` says of recalls: note how the orders ended."""
    for said in states:
        outcome, reason = _outcome(said)
        if f":{recalls.KIND}." in said.object and outcome:
            orders = RecallOrder.objects.filter(peer=peer, statement__object=said.object)
            orders.update(outcome=outcome, reason=reason, answered_at=now)


def _outcome(said: ObjectState) -> tuple[str, str]:
    if said.state is State.RECALLED:
        is_kept = said.reason in (Reason.EVIDENCE, Reason.LAW)
        return (KEPT if is_kept else DELETED), said.reason
    if said.state in (State.REFUSED, State.QUARANTINED):
        return REFUSED, said.reason
    return "", ""
