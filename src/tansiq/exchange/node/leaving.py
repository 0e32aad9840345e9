"""Bodies that are to leave now, and what is stored before they do (sections 8.3, 8.4 and 12)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from tansiq.exchange import values
from tansiq.exchange.body import Lane, Skip
from tansiq.exchange.models import OutChannel, Recipient
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.rows import insert
from tansiq.exchange.sending import Entry, Way


@dataclass(frozen=True, slots=True)
class Attempt:
    """A body that is to leave now. It is sealed by whoever sends it, anew each time.

    Attributes:
        body: canonical; the same bytes at every attempt, but of a skip, which is written anew.
        id, number: of the body, and which attempt this is: together ``Nats-Msg-Id`` (section 16).
        first, last: its positions.
    """

    peer: str
    lane: Lane
    incarnation: str
    first: int
    last: int
    body: bytes
    id: str
    number: int
    ways: frozenset[Way]
    is_skip: bool


def attempt(
    here: Here, channel: OutChannel, entry: Entry, ways: frozenset[Way], body: bytes | None, now: datetime
) -> Attempt:
    """``entry``: as it is after the attempt. ``body``: None of a skip."""
    span = entry.span
    if body is None:
        skip = _skip(here, channel, entry, now)
        identifier, written = skip.id, skip.written()
    else:
        identifier, written = json.loads(body)["id"], body
    return Attempt(
        peer=channel.peer,
        lane=Lane(channel.lane),
        incarnation=channel.incarnation,
        first=span.first,
        last=span.last,
        body=written,
        id=identifier,
        number=entry.attempts,
        ways=ways,
        is_skip=body is None,
    )


def _skip(here: Here, channel: OutChannel, entry: Entry, now: datetime) -> Skip:
    """It says nothing that could be outdated, so it is written anew, under the roster of now."""
    span = entry.span
    assert entry.skipped is not None
    return Skip(
        id=values.new_id(now),
        realm=here.realm,
        sender=here.code,
        recipient=channel.peer,
        epoch=here.epoch_for(channel.peer),
        sent_at=now,
        lane=Lane(channel.lane),
        incarnation=channel.incarnation,
        seq=span.first,
        prev=span.prev,
        last=span.last,
        hash_after=span.digest,
        reason=entry.skipped,
    )


def mark(attempted: Mapping[str, Collection[str]], now: datetime) -> None:
    """From now on it may be there: a recall is owed to it (section 12). ``attempted``: peer -> objects."""
    rows = [
        Recipient(object=identifier, peer=peer, attempted_at=now)
        for peer, objects in sorted(attempted.items())
        for identifier in sorted(set(objects))
    ]
    insert(rows, unique=["object", "peer"], keep=["attempted_at"])
