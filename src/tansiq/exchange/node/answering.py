"""What a restored node, or one that asks back, is told: its own objects, recalls, and where channels stand (11.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction

from tansiq.exchange import canonical
from tansiq.exchange.body import Channel, Lane
from tansiq.exchange.held import Stand
from tansiq.exchange.models import InChannel, OutChannel, Recipient, SharedObject, Statement, Waiting
from tansiq.exchange.node import statements
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.life import to_compare
from tansiq.exchange.node.possession import Possessed, latest, of_teams
from tansiq.exchange.node.tombstones import SOME, recall_of
from tansiq.exchange.pages import Concerned, recovery_page
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests import RecoveryAsked, RecoveryGiven
from tansiq.exchange.values import EMPTY_DIGEST

NO_CHANNEL = "1-aaaaaaaaaaaaaaaa"
"""Incarnation of an envelope that answers a request: it never had a position."""
_PART = 100


@transaction.atomic
def on_request(here: Here, peer: str, asked: RecoveryAsked, now: datetime) -> list[RecoveryGiven]:
    """A page for ``peer``; the two are to be compared afterwards. To who is no member nothing is said."""
    if peer not in here.peers:
        return []
    to_compare([peer], now)
    stands = [_stand(peer, lane) for lane in Lane]
    return [recovery_page(asked, _concerned(here, peer, asked.after), stands=stands)]


def _stand(peer: str, lane: Lane) -> Stand:
    known = InChannel.objects.filter(peer=peer, lane=lane.value).order_by("-number", "-incarnation").first()
    believed = OutChannel.objects.filter(peer=peer, lane=lane.value).first()
    stand = Stand(
        lane,
        known.incarnation if known else "",
        believed.believed_n if believed else 0,
        believed.believed_changes if believed else 0,
    )
    return stand.said()


def _concerned(here: Here, peer: str, after: str) -> Iterator[Concerned]:
    """In the order of ids; read from the database as far as the page takes them."""
    while ids := _ids(here, peer, after):
        shared = SharedObject.objects.in_bulk(ids)
        ordered = {row.object: row for row in Recipient.objects.filter(peer=peer, object__in=ids)}
        have = latest(here, peer, [one for one in ids if here.facts.homes.get(one.partition(":")[0]) == peer])
        for object_id in ids:
            recall = recall_of(shared.get(object_id)).joined(recall_of(ordered.get(object_id)))
            version = have.get(object_id)
            if version is not None or recall != Recall():
                yield Concerned(
                    object_id, version and _envelope(here, peer, version), recall if recall != Recall() else None
                )
        after = ids[-1]


def _ids(here: Here, peer: str, after: str) -> list[str]:
    """The next objects of the peer's teams that are or wait here or are recalled, and those recalled from the peer."""
    theirs = of_teams(here.teams_of.get(peer, frozenset()))
    sources = [
        SharedObject.objects.filter(theirs),
        Waiting.objects.filter(theirs),
        Recipient.objects.filter(SOME, peer=peer),
    ]
    found: set[str] = set()
    for rows in sources:
        ids = rows.filter(object__gt=after).order_by("object").values_list("object", flat=True).distinct()
        found |= set(ids[:_PART])
    return sorted(found)[:_PART]


def _envelope(here: Here, peer: str, one: Possessed) -> bytes:
    """As it came, where that is still here; else what its author signed, in an envelope that is the same each time."""
    if one.waiting is not None:
        return bytes(Waiting.objects.values_list("body", flat=True).get(pk=one.waiting))
    statement = Statement.objects.get(pk=one.statement)
    channel = Channel(here.realm, here.code, peer, Lane.NORMAL, NO_CHANNEL)
    fields = statements.placed(
        statements.content_fields(statement, here), channel, 1, EMPTY_DIGEST, here=here, now=statement.made_at
    )
    return canonical.write(fields | {"id": _id(statement)}).encode()


def _id(statement: Statement) -> str:
    """A UUIDv7 of the statement's own, always the same: pieces of one text have to fit together."""
    random = int(statement.leaf[:19], 16) & (2**74 - 1)
    milliseconds = int(statement.made_at.timestamp() * 1000)
    return str(UUID(int=milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (2**62 - 1)))
