"""A change of who may have something is itself a change: what a roster or the end of an embargo newly allows is sent,
what it no longer allows is recalled (section 12).

Decisions are made for each of the few sets of markings and each peer of whom anything changed; the rows that follow are
made within the database.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Length

from tansiq.exchange import markings
from tansiq.exchange.body import Lane
from tansiq.exchange.models import MarkingSet, OutboxRow, OutChannel, RecallOrder, Recipient, SharedObject
from tansiq.exchange.node import awaiting, freezing, life, sets
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.node.heeding import review_forwards
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.locking import lock
from tansiq.exchange.node.orders import SIGNED_AT_ONCE, sign_recalls
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.node.tombstones import below
from tansiq.exchange.own_kinds import UNCOMPARED
from tansiq.exchange.receiving import Cause

PAGE = 5_000
"""Objects of one page where forwards are reviewed."""


def own_live(here: Here) -> QuerySet[SharedObject]:
    """This node's own live objects. Of those that are withheld nobody else may have any; of teams whose data is still
    to come here it has no say (section 10.8)."""
    teams = here.teams_of.get(here.code, frozenset()) - awaiting.teams()
    return SharedObject.objects.filter(owner__in=teams, statement__isnull=False).exclude(kind__in=UNCOMPARED)


def markings_in_use(here: Here) -> list[str]:
    """Keys of the sets of markings that own live objects have."""
    return sorted(own_live(here).order_by().values_list("statement__marking_id", flat=True).distinct())


# ---- rosters


@transaction.atomic
def on_roster(before: Here, after: Here, now: datetime) -> None:
    """A later roster counts: send, recall, ask back, compare, and end what only a roster can end."""
    if after.epoch <= before.epoch:
        return
    life.locked(now)
    changed = _changed_peers(before, after)
    lock(OutChannel.objects.filter(peer__in=changed), "peer", "lane")  # what was being attempted is known as such
    _follow(Deciding(before, now), Deciding(after, now), changed, now)
    sign_recalls(after, now=now, most=SIGNED_AT_ONCE)
    _review_all_forwards(after, changed, now)
    freezing.on_roster(before, after, now)
    life.on_roster(before, after, now)


def _changed_peers(before: Here, after: Here) -> frozenset[str]:
    """Of whom any decision may be another now. Decisions see nothing but what ``_seen`` says."""
    known = before.peers | before.suspended | after.peers | after.suspended
    return frozenset(peer for peer in known - {after.code} if _seen(before, peer) != _seen(after, peer))


def _seen(here: Here, peer: str) -> tuple[object, ...]:
    teams = here.teams_of.get(peer, frozenset())
    persons = frozenset(person for person, team in here.persons.items() if team in teams)
    return peer in here.peers, peer in here.suspended, teams, teams & here.community, persons, here.operators.get(peer)


def _follow(
    before: Deciding, after: Deciding, peers: Collection[str], now: datetime, *, marked: Collection[str] | None = None
) -> None:
    """Send and recall what is decided otherwise now for any of ``peers``.

    Args:
        marked: keys of sets of markings: objects that have one of these alone. None: all.
    """
    for peer in sorted(set(peers) - after.here.peers - after.here.suspended):
        _recall(after.here, peer, own_live(after.here), now)  # whatever it ever had, be it narrowed by now
    for some in in_parts(markings_in_use(after.here) if marked is None else marked) if peers else ():
        before.learn(some)
        after.learn(some)
        for peer in sorted(after.here.peers & set(peers)):
            was = {key for key in some if before.may_have(peer, key)}
            is_now = {key for key in some if after.may_have(peer, key)}
            _send(after.here, peer, is_now - was, now)
            if was - is_now:
                _recall(after.here, peer, own_live(after.here).filter(statement__marking__in=was - is_now), now)


def _send(here: Here, peer: str, keys: Collection[str], now: datetime) -> None:
    """Rows of the outbox for all own objects with one of these sets of markings, in the order of their ids."""
    rows = own_live(here).filter(statement__marking__in=keys, withheld=False).order_by("object")
    for lane in Lane if keys else ():
        columns = {
            "peer": Value(peer),
            "lane": Value(lane.value),
            "statement": F("statement_id"),
            "size_bytes": Length("statement__content"),
            "put_at": sets.moment(now),
            "only_way": Value(""),
        }
        kinds = [name for name, kind in here.kinds.by_name().items() if kind.lane is lane]
        sets.insert(OutboxRow, columns, rows.filter(kind__in=kinds))


def _recall(here: Here, peer: str, objects: QuerySet[SharedObject], now: datetime) -> None:
    """From who lost them by a roster, as far as they were attempted: orders, to be signed in batches."""
    live = objects.filter(object=OuterRef("object"))
    had = Recipient.objects.filter(Exists(live), peer=peer, attempted_at__isnull=False)
    columns = {
        "object": F("object"),
        "peer": F("peer"),
        "cause": Value(Cause.ROSTER.value),
        "ordered_at": sets.moment(now),
    }
    sets.insert(RecallOrder, columns, had.order_by("object"))
    term, n = (Subquery(live.values(f"statement__{name}")[:1]) for name in ("term", "n"))
    is_later = below(term, n, prefix="left_")
    had.update(
        left_term=Case(When(is_later, then=term), default=F("left_term")),
        left_n=Case(When(is_later, then=n), default=F("left_n")),
        recall_epoch=here.epoch,
    )


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
