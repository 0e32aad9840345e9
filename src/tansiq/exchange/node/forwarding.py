"""Rows of the outbox, and another team's objects sent on from here (sections 8.1 and 12)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from tansiq.exchange.body import MOST_FORWARDERS
from tansiq.exchange.models import OutboxRow, Recipient, SharedObject, Statement
from tansiq.exchange.node import life, statements
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.statements import BATCH
from tansiq.exchange.node.tombstones import BLOCKED


def enqueue(here: Here, statement: Statement, peers: Iterable[str], now: datetime) -> None:
    """Rows of the outbox, in the transaction of the change itself. Whether they may go is decided when they do."""
    enqueue_all(here, ((statement, peer) for peer in peers), now)


def enqueue_all(here: Here, rows: Iterable[tuple[Statement, str]], now: datetime) -> None:
    """The same for many (statement, peer), as they come."""
    OutboxRow.objects.bulk_create(
        (
            OutboxRow(
                peer=peer,
                lane=statements.lane_of(here, statement.kind).value,
                statement=statement,
                size_bytes=len(statement.content),
                put_at=now,
            )
            for statement, peer in rows
        ),
        batch_size=BATCH,
    )


@transaction.atomic
def forward(here: Here, object: str, peer: str, now: datetime) -> bool:
    """Send another team's object on to a node that may have it, and each of its versions to come.

    Returns: whether it may go: the object is here, this node may forward, and the latest marking that the owner has
        proven to have set allows it.
    """
    life.settling(now)  # no later version is applied meanwhile, which would not go on
    row = SharedObject.objects.select_related("statement").filter(object=object).first()
    if row is None or row.statement is None or not _may_forward(here, row, peer, now):
        return False
    Recipient.objects.update_or_create(object=object, peer=peer, defaults={"forwarded": True})
    enqueue(here, row.statement, [peer], now)
    return True


def _may_forward(here: Here, row: SharedObject, peer: str, now: datetime) -> bool:
    home = here.facts.homes.get(row.owner)
    if home == here.code or peer in (home, here.code) or here.code not in here.facts.forwarders:
        return False
    if not can_go_on(row.statement) or SharedObject.objects.filter(BLOCKED, pk=row.pk).exists():
        return False  # what is kept against a recall goes nowhere (section 12)
    deciding = Deciding(here, now)
    key = deciding.latest([row.object]).get(row.object)
    deciding.learn([key] if key else [])
    return key is not None and deciding.may_have(peer, key)


def can_go_on(statement: Statement) -> bool:
    """One code more fits into ``via``, and the whole into a body."""
    via = statements.via_of(statement)
    return len(via) < MOST_FORWARDERS and statements.fits_a_body(statement)


@transaction.atomic
def pass_on(here: Here, statement: Statement, now: datetime) -> None:
    """A later version of another's object was applied: it goes to those to whom the object is forwarded."""
    if can_go_on(statement):
        peers = Recipient.objects.filter(object=statement.object, forwarded=True).values_list("peer", flat=True)
        enqueue(here, statement, sorted(peers), now)
