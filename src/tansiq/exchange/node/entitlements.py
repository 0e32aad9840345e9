"""A change of who may have something is itself a change: what a roster or the end of an embargo newly allows is sent,
what it no longer allows is recalled (section 12).

Objects are walked once, in the order of their ids and in pages; decisions are made for each of the few sets of markings
and each peer of whom anything changed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models.functions import Length

from tansiq.exchange import markings
from tansiq.exchange.body import Version
from tansiq.exchange.models import MarkingSet, OutboxRow, Recipient, SharedObject
from tansiq.exchange.node import freezing, life, statements
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.node.heeding import review_forwards
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.orders import recall_from
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.own_kinds import UNCOMPARED
from tansiq.exchange.receiving import Cause, Recall

PAGE = 5_000
"""Objects of one page of a walk: some 2 MB."""


class Own(NamedTuple):
    """An object of a team of this node, as it is live."""

    object: str
    kind: str
    statement: int
    marking: str
    version: Version
    size_bytes: int
    withheld: bool


def own_objects(here: Here, *, marked: Collection[str] | None = None) -> Iterator[list[Own]]:
    """Pages of this node's own live objects, in the order of their ids. Nobody may have what is withheld.

    Args:
        marked: keys of sets of markings: only objects that have one of them. None: all.
    """
    teams = here.teams_of.get(here.code, frozenset())
    rows = SharedObject.objects.filter(owner__in=teams, statement__isnull=False)
    rows = rows.exclude(kind__in=UNCOMPARED).order_by("object")
    if marked is not None:
        rows = rows.filter(statement__marking__in=marked)
    columns = rows.annotate(size=Length("statement__content")).values_list(
        "object", "kind", "statement_id", "statement__marking_id", "statement__term", "statement__n", "size", "withheld"
    )
    after = ""
    while page := list(columns.filter(object__gt=after)[:PAGE]):
        yield [
            Own(object_id, kind, statement, marking, Version(term, n), size, withheld)
            for object_id, kind, statement, marking, term, n, size, withheld in page
        ]
        after = page[-1][0]


# ---- rosters


@transaction.atomic
def on_roster(before: Here, after: Here, now: datetime) -> None:
    """A later roster counts: send, recall, ask back, compare, and end what only a roster can end."""
    if after.epoch <= before.epoch:
        return
    life.locked(now)
    changed = _changed_peers(before, after)
    _follow(Deciding(before, now), Deciding(after, now), changed, now)
    _review_all_forwards(after, changed, now)
    freezing.on_roster(before, after, now)
    life.on_roster(before, after, now)


def _changed_peers(before: Here, after: Here) -> frozenset[str]:
    """Of whom any decision may be another now. Decisions see nothing but what ``_seen`` says."""
    return frozenset(peer for peer in before.peers | after.peers if _seen(before, peer) != _seen(after, peer))


def _seen(here: Here, peer: str) -> tuple[object, ...]:
    teams = here.teams_of.get(peer, frozenset())
    persons = frozenset(person for person, team in here.persons.items() if team in teams)
    return peer in here.peers, teams, teams & here.community, persons, here.operators.get(peer)


@dataclass(frozen=True)
class _Turn:
    """How the decisions about one set of markings turned."""

    gained: frozenset[str]
    lost: frozenset[str]


def _follow(
    before: Deciding, after: Deciding, peers: Collection[str], now: datetime, *, marked: Collection[str] | None = None
) -> None:
    """Send and recall what is decided otherwise now for any of ``peers``."""
    if not peers:
        return
    turns: dict[str, _Turn] = {}
    for page in own_objects(after.here, marked=marked):
        _learn_turns(turns, {one.marking for one in page}, before, after, peers)
        _send(after.here, page, turns, now)
        _recall(after.here, page, turns, now)


def _learn_turns(
    turns: dict[str, _Turn], keys: Collection[str], before: Deciding, after: Deciding, peers: Collection[str]
) -> None:
    for some in in_parts(sorted(keys - turns.keys())):
        before.learn(some)
        after.learn(some)
        for key in some:
            was = {peer for peer in peers if before.may_have(peer, key)}
            now_is = {peer for peer in peers if after.may_have(peer, key)}
            gone = set(peers) - after.here.peers  # whatever it ever had, be it withheld or narrowed by now
            turns[key] = _Turn(frozenset(now_is - was), frozenset((was - now_is) | gone))


def _send(here: Here, page: Collection[Own], turns: Mapping[str, _Turn], now: datetime) -> None:
    rows = [
        OutboxRow(
            peer=peer,
            lane=statements.lane_of(here, one.kind).value,
            statement_id=one.statement,
            size_bytes=one.size_bytes,
            put_at=now,
        )
        for one in page
        if not one.withheld
        for peer in sorted(turns[one.marking].gained)
    ]
    OutboxRow.objects.bulk_create(rows, batch_size=1000)


def _recall(here: Here, page: list[Own], turns: Mapping[str, _Turn], now: datetime) -> None:
    """From those to whom it was attempted: what was never tried needs no recall."""
    losing = {peer for one in page for peer in turns[one.marking].lost}
    if not losing:
        return
    by_id = {one.object: one for one in page}
    attempted = Recipient.objects.filter(
        object__gte=page[0].object, object__lte=page[-1].object, peer__in=losing, attempted_at__isnull=False
    )
    owed: dict[str, dict[str, Recall]] = {}
    for object_id, peer in attempted.values_list("object", "peer"):
        one = by_id.get(object_id)
        if one is not None and peer in turns[one.marking].lost:
            owed.setdefault(peer, {})[object_id] = Recall.of(one.version, cause=Cause.ROSTER, epoch=here.epoch)
    for peer, objects in sorted(owed.items()):
        recall_from(here, peer, objects, Cause.ROSTER, now)


def _review_all_forwards(here: Here, peers: Collection[str], now: datetime) -> None:
    forwards = Recipient.objects.filter(forwarded=True, peer__in=peers).order_by("object")
    after = ""
    while page := list(forwards.filter(object__gt=after).values_list("object", flat=True).distinct()[:PAGE]):
        review_forwards(here, page, now)
        after = page[-1]


# ---- embargoes


@transaction.atomic
def embargoes_ended(here: Here, since: datetime, now: datetime) -> int:
    """Send what embargoes that ended after ``since`` and by ``now`` allow. Returns: the sets of markings concerned."""
    ended = []
    for key, text in MarkingSet.objects.filter(text__contains='"embargo_until":"').values_list("key", "text"):
        moments = [marking.embargo_until for marking in markings.read(text)]
        if any(moment is not None and since < moment <= now for moment in moments):
            ended.append(key)
    for some in in_parts(ended):
        _follow(Deciding(here, since), Deciding(here, now), here.peers, now, marked=some)
    return len(ended)


@transaction.atomic
def follow_embargoes(here: Here, now: datetime) -> int:
    """``embargoes_ended`` since this was last called. Returns: as it."""
    row = life.locked(now)
    since, row.embargoes_through = row.embargoes_through or row.began_at, now
    row.save(update_fields=["embargoes_through"])
    return embargoes_ended(here, since, now)
