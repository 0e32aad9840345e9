"""Comparisons that this node opens, of its own objects: when, from turn to turn, and to their end (section 13).

What a comparison goes by is in memory: 64 bytes for each item, of a few comparisons at once. A process that dies
forgets them, and they are begun again; the tables know only how each ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum

from tansiq.exchange import turns
from tansiq.exchange.body import Lane
from tansiq.exchange.compare import Differences, Items, item_of, key_of
from tansiq.exchange.kinds import owner_of
from tansiq.exchange.models import Comparison, Link, OutboxRow, OutChannel, SharedObject
from tansiq.exchange.node import alarms, awaiting, life, repairing
from tansiq.exchange.node.compared import on_ask, shared_in
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.repairing import note_equal, own_versions, repair
from tansiq.exchange.requests import ComparisonAsked, ComparisonGiven, CutAt
from tansiq.exchange.turns import Comparing
from tansiq.exchange.values import Unfit, new_id

NIGHTLY = timedelta(hours=20)
"""A link that was compared longer ago is compared in the night (the service says when that is)."""
ASKED_AGAIN = timedelta(seconds=30)
GIVEN_UP = timedelta(hours=1)
LEAST_BETWEEN = timedelta(seconds=60)
MOST_UNDER_WAY = 10_000
"""Bodies that may be under way when a comparison is opened at last."""
PATIENCE = timedelta(minutes=2)
"""How long is waited for what is under way to come."""
MOST_AT_ONCE = 3
MOST_ITEMS = 2_000_000
"""In memory when another comparison is opened: 128 MB."""


@dataclass
class Opened:
    """A comparison that this node opened.

    Attributes:
        times_incomplete: how often the link had become incomplete when it began: what came after is not of it.
    """

    comparing: Comparing
    items: Items
    began_at: datetime
    asked_at: datetime
    heard_at: datetime
    times_incomplete: int = 0
    last: ComparisonAsked | None = None  # how it ended, once it has: asked until the peer has heard

    @property
    def asked(self) -> ComparisonAsked:
        return self.last or self.comparing.ask()


_opened: dict[tuple[str, str], Opened] = {}
"""(node, peer) -> what is open; at most one with each."""
_wanted_since: dict[tuple[str, str], datetime] = {}
"""(node, peer) -> since when a comparison is due that waits for what is under way."""


# ---- what is compared


def shared_out(here: Here, peer: str, now: datetime) -> Iterator[tuple[bytes, bytes]]:
    """(key, leaf) of this node's own objects that ``peer`` may have."""
    return (item_of(one.object, one.kind, one.version, one.leaf) for one in own_versions(here, peer, now))


# ---- opening


def due_comparisons(here: Here, now: datetime) -> list[str]:
    """Peers to compare with: where something may be missing, and where the last comparison is a night old. What is
    under way is waited for, but not for ever: it would only be found to differ."""
    if life.is_held():
        return []
    links = {link.pk: link for link in Link.objects.filter(peer__in=here.peers)}
    wanted = [peer for peer in sorted(here.peers) if _is_wanted(here, peer, links.get(peer), now)]
    for where in [one for one in _wanted_since if one[0] == here.code and one[1] not in wanted]:
        del _wanted_since[where]
    if not wanted:
        return []
    began = Comparison.objects.filter(peer__in=wanted, outward=True, began_at__gt=now - LEAST_BETWEEN)
    lately, under_way = set(began.values_list("peer", flat=True)), _under_way(wanted)
    asking = {peer: 1 for peer in wanted if (link := links.get(peer)) is not None and link.asking_since is not None}
    return [
        peer
        for peer in wanted
        if peer not in lately and _has_come(here, peer, under_way.get(peer, 0) + asking.get(peer, 0), now)
    ]


def _is_wanted(here: Here, peer: str, link: Link | None, now: datetime) -> bool:
    opened = _opened.get((here.code, peer))
    if opened is not None and opened.last is None:
        return False
    if link is None:
        return True
    is_open = link.incomplete_since is not None or link.compared_at is None or link.compared_at <= now - NIGHTLY
    return is_open and link.frozen_at is None


def _has_come(here: Here, peer: str, under_way: int, now: datetime) -> bool:
    """Or was waited for long enough. What is asked back counts as under way, too."""
    since = _wanted_since.setdefault((here.code, peer), now)
    is_patient = timedelta(0) <= now - since < PATIENCE
    return under_way <= (0 if is_patient else MOST_UNDER_WAY)


def _under_way(peers: Collection[str]) -> dict[str, int]:
    """Peer -> bodies that no receipt covers, and rows without a position, as far as they count."""
    sealed = OutChannel.objects.filter(peer__in=peers, waiting_bodies__gt=0).order_by().values_list("peer")
    found = dict(sealed.annotate(Sum("waiting_bodies")))
    for peer in OutboxRow.objects.filter(peer__in=peers).order_by().values_list("peer", flat=True).distinct():
        rows = OutboxRow.objects.filter(peer=peer)[: MOST_UNDER_WAY + 1].count()
        found[peer] = found.get(peer, 0) + rows
    return found


@transaction.atomic
def want(here: Here, peer: str, now: datetime) -> None:
    """Somebody asks for a comparison, of both directions: the next that is due."""
    if peer in here.peers:
        life.to_compare([peer], now)
        Link.objects.filter(peer=peer).update(wish_at=now)


@transaction.atomic
def due_wishes(here: Here, now: datetime) -> list[tuple[str, ComparisonAsked]]:
    """Peers that are to open a comparison of theirs, since somebody here wants both directions compared. Asked once: if
    it is lost, the night will do it."""
    if life.is_held():
        return []
    wished = Link.objects.select_for_update().filter(peer__in=here.peers, wish_at__isnull=False)
    peers = list(wished.order_by("peer").values_list("peer", flat=True))
    Link.objects.filter(peer__in=peers).update(wish_at=None)
    return [(peer, ComparisonAsked(comparison=new_id(now), of=peer, turn=0)) for peer in peers]


@transaction.atomic
def begin(here: Here, peer: str, now: datetime) -> ComparisonAsked | None:
    """Open a comparison of this node's own objects. None: it may not be now."""
    if peer not in here.peers or life.is_held() or not _has_room():
        return None
    identifier = new_id(now)
    times = Link.objects.filter(peer=peer).values_list("times_incomplete", flat=True).first() or 0  # before the items
    items = Items(shared_out(here, peer, now))
    comparing = turns.opened(items, comparison=identifier, of=here.code, cut=_given_cut(peer))
    Comparison.objects.create(
        id=identifier, peer=peer, outward=True, began_at=now, last_at=now, cut=_written(comparing.cut)
    )
    _opened[here.code, peer] = Opened(comparing, items, now, now, now, times)
    return comparing.ask()


def is_open(here: Here) -> bool:
    """Does this process wait for an answer of some comparison?"""
    return any(node == here.code for node, _peer in _opened)


def _has_room() -> bool:
    running = [len(one.items) for one in _opened.values() if one.last is None]
    return len(running) < MOST_AT_ONCE and sum(running) <= MOST_ITEMS


def _given_cut(peer: str) -> list[CutAt]:
    channels = OutChannel.objects.filter(peer=peer).exclude(incarnation="").order_by("lane")
    return [CutAt(lane=Lane(one.lane), incarnation=one.incarnation, position=one.given) for one in channels]


def _written(cut: tuple[CutAt, ...]) -> dict[str, list[object]]:
    return {place.lane.value: [place.incarnation, place.position] for place in cut}


@transaction.atomic
def due_asks(here: Here, now: datetime) -> list[tuple[str, ComparisonAsked]]:
    """Turns that were not answered, to be asked again; what was not answered for an hour is given up."""
    due = []
    for (node, peer), opened in list(_opened.items()):
        if node != here.code:
            continue
        opened.began_at, opened.heard_at = min(opened.began_at, now), min(opened.heard_at, now)  # section 14
        if opened.heard_at <= now - GIVEN_UP or peer not in here.peers:
            _end(here, peer, now)
        elif not timedelta(0) <= now - opened.asked_at < ASKED_AGAIN:
            opened.asked_at = now
            due.append((peer, opened.asked))
    return due


@transaction.atomic
def on_given(here: Here, peer: str, given: ComparisonGiven, now: datetime) -> list[ComparisonAsked]:
    """The next turn; in the last one the outcome, after what differs was repaired."""
    opened = _opened.get((here.code, peer))
    if opened is None or opened.comparing.comparison != given.comparison or life.is_held():
        return []
    if opened.last is not None:
        if given.turn == opened.last.turn:
            del _opened[here.code, peer]
        return []
    try:
        comparing = turns.heard(opened.comparing, opened.items, given)
    except Unfit as unfit:
        alarms.raise_alarm("exchange.comparison", peer, {"field": str(unfit.values["field"])}, now)
        _end(here, peer, now)
        return []
    if comparing is opened.comparing:
        return []
    opened.comparing, opened.asked_at, opened.heard_at = comparing, now, now
    Comparison.objects.filter(pk=given.comparison).update(last_at=now, turn=comparing.turn)
    if not comparing.is_over:
        return [comparing.ask()]
    return [_concluded(here, peer, opened, now)]


# ---- concluding


def _concluded(here: Here, peer: str, opened: Opened, now: datetime) -> ComparisonAsked:
    """Repair what differs and is not under way; say how it ended."""
    found, began_at = opened.comparing.found, opened.began_at
    names = _names(here, found)
    under_way = repairing.under_way(peer, list(names.values()), began_at)
    in_flight = {key for key, name in names.items() if name in under_way}
    differing = (found.missing | found.extra | found.different) - in_flight
    to_mend = differing - _awaited(names)
    repair(here, peer, sorted({names[key] for key in to_mend if key in names}), now)
    Comparison.objects.filter(pk=opened.comparing.comparison).update(
        missing=len(found.missing - in_flight),
        extra=len(found.extra - in_flight),
        different=len(found.different - in_flight),
        in_flight=len(in_flight),
        equal=not differing and not in_flight,
    )
    if to_mend:
        life.to_compare([peer], now)
        life.ask_back(here, peer, now)
    elif not in_flight:
        Link.objects.filter(peer=peer, times_incomplete=opened.times_incomplete).update(incomplete_since=None)
    _end(here, peer, now)
    opened.items = Items(())
    opened.last = opened.comparing.last(differences=len(differing), in_flight=len(in_flight))
    _opened[here.code, peer] = opened
    return opened.last


def _names(here: Here, found: Differences) -> dict[bytes, str]:
    """Objects of keys. Of what only the peer has some may be known here all the same: it may not have them."""
    wanted = found.missing | found.extra | found.different
    names: dict[bytes, str] = {}
    if not wanted:
        return names
    teams = here.teams_of.get(here.code, frozenset())
    rows = SharedObject.objects.filter(owner__in=teams).order_by().values_list("object", "kind")
    for object_id, kind in rows.iterator(chunk_size=5_000):
        key = key_of(kind, object_id)
        if key in wanted:
            names[key] = object_id
            if len(names) == len(wanted):
                break
    return names


def _awaited(names: Mapping[bytes, str]) -> frozenset[bytes]:
    """Of these the keys of what teams own whose data is still to come here: that is for nobody to mend (10.8)."""
    awaited = awaiting.teams()
    return frozenset(key for key, name in names.items() if owner_of(name) in awaited)


def _end(here: Here, peer: str, now: datetime) -> None:
    """``equal`` stays unknown where nothing was concluded."""
    opened = _opened.pop((here.code, peer), None)
    if opened is None or opened.last is not None:
        return
    Comparison.objects.filter(pk=opened.comparing.comparison).update(ended_at=now, last_at=now)
    Link.objects.bulk_create([Link(peer=peer)], ignore_conflicts=True)
    if Comparison.objects.filter(pk=opened.comparing.comparison, equal__isnull=False).exists():
        Link.objects.filter(peer=peer).update(compared_at=now)
        note_equal(peer)


__all__ = ["begin", "due_asks", "due_comparisons", "on_ask", "on_given", "repair", "shared_in", "shared_out", "want"]
