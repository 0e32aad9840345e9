"""Recalls that this node orders, one for each object and peer, and what became of them (section 12).

An order is written in the transaction of what makes it necessary; it is signed and put into the outbox at once where
there are few, and in batches where a roster orders a million.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange import recall as recalls
from tansiq.exchange.body import ObjectState, State, Version
from tansiq.exchange.models import RecallOrder, Recipient, Statement
from tansiq.exchange.node import publishing, statements
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.node.tombstones import FIELDS, columns, recall_of
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Cause, Recall
from tansiq.exchange.values import new_id

SIGNED_AT_ONCE = 100
FIRST = Version(1, 1)
DELETED, KEPT, REFUSED, SILENT = "deleted", "kept", "refused", Reason.UNREACHABLE.value
"""How an order ended, as its originator sees it; ``SILENT``: it has not."""


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
    signed: dict[tuple[str, str], Statement] = {}
    for order in orders:
        where = (order.object, order.peer)
        if where not in signed:
            signed[where] = _signed(here, *where, now)
            publishing.enqueue(here, signed[where], [order.peer], now)
        order.statement = signed[where]
    RecallOrder.objects.bulk_update(orders, ["statement"], batch_size=200)
    return len(orders)


def _signed(here: Here, object_id: str, peer: str, now: datetime) -> Statement:
    recall = recall_of(Recipient.objects.get(object=object_id, peer=peer))
    teams = here.teams_of.get(peer) or {here.operators.get(peer, "")} - {""}
    return statements.state(
        here,
        kind=recalls.KIND,
        object=f"{here.team}:{recalls.name(new_id(now))}",
        payload=recalls.write(object_id, recall),
        markings=[Marking(Tlp.AMBER_STRICT, here.team, Audience.of(teams=teams))],
        team=here.team,
        now=now,
        version=FIRST,
    )


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


def outcomes(object_id: str) -> dict[str, RecallOrder]:
    """Node -> the last order to delete an object, with ``outcome``: the list that its originator sees."""
    found: dict[str, RecallOrder] = {}
    for order in RecallOrder.objects.filter(object=object_id).order_by("id"):
        order.outcome = order.outcome or SILENT
        found[order.peer] = order
    return found
