"""What comes back to a restored node, or one that asks back: own objects, recalls, the end of being held (11.1).

Of a text that takes several pages the part that is here stays in memory: a process that dies asks for it again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from tansiq.exchange import pages
from tansiq.exchange.body import State
from tansiq.exchange.held import Stand
from tansiq.exchange.models import InChannel, Link, Recipient, SharedObject, Waiting
from tansiq.exchange.node import keeping, life, sets
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.node.entitlements import markings_in_use, own_live
from tansiq.exchange.node.forwarding import enqueue_all
from tansiq.exchange.node.heeding import authority, delete_blocked, drop_waiting, remember
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.node.recovering import is_plausible, recover
from tansiq.exchange.node.tombstones import BLOCKED
from tansiq.exchange.pages import Partial
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests import RecoveryAsked, RecoveryGiven
from tansiq.exchange.values import Unfit, incarnation_number

ASKED_AGAIN = timedelta(seconds=30)
MOST_ASKED = 10
"""Peers that are asked at once where nobody waits for their answers: a new member has all the others to ask."""
_partial: dict[tuple[str, str], Partial] = {}
"""(node, peer) -> what came so far of a text that is not whole."""


# ---- asking


@transaction.atomic
def due_requests(here: Here, now: datetime) -> list[tuple[str, RecoveryAsked]]:
    """What is to be asked now, of whom: again each half a minute until the answer is complete. A node that is held asks
    everybody at once; else a few are asked, and others once these have answered."""
    is_held = life.is_held()
    links = Link.objects.select_for_update().filter(peer__in=here.peers, asking_since__isnull=False)
    due = list(
        links.filter(Q(asked_at=None) | Q(asked_at__lte=now - ASKED_AGAIN)).order_by(
            F("asked_at").asc(nulls_first=True), "peer"
        )
    )
    if not is_held and due:
        under_way = links.filter(asked_at__gt=now - ASKED_AGAIN, asked_at__lte=now).count()
        due = due[: max(MOST_ASKED - under_way, 0)]
    Link.objects.filter(pk__in=[link.pk for link in due]).update(asked_at=now)
    return [(link.peer, _asked(here, link, is_held)) for link in due]


def wanted_of(here: Here, peer: str) -> RecoveryAsked | None:
    """What is asked of a peer now, for a file, which is not written again soon; None where nothing is."""
    link = Link.objects.filter(peer=peer, asking_since__isnull=False).first()
    return _asked(here, link, life.is_held()) if link and peer in here.peers else None


def _asked(here: Here, link: Link, is_held: bool) -> RecoveryAsked:
    part = _partial.get((here.code, link.peer))
    offset = part.size_bytes if part else 0
    return RecoveryAsked(held=is_held, since=link.asking_since, after=link.asked_after, offset=offset)


# ---- answers


@transaction.atomic
def on_answer(here: Here, peer: str, given: RecoveryGiven, now: datetime) -> list[RecoveryAsked]:
    """Take a page. Returns: what to ask next; nothing after the last, and for a page that is not the one asked for."""
    life.locked(now)
    link = Link.objects.select_for_update().filter(peer=peer, asking_since=given.since, asked_after=given.after).first()
    if link is None or peer not in here.peers:
        return []
    before = _partial.pop((here.code, peer), None)
    try:
        found = pages.joined(before, given.pieces)
    except Unfit:
        return []  # its digest is wrong: asked for again from its beginning
    if found.partial:
        _partial[here.code, peer] = found.partial
    was_held, is_doubted = life.is_held(), link.doubted_at == link.asking_since
    is_signed_here = [recover(here, peer, name, text, now) for name, text in found.whole]
    if any(is_signed_here) and is_doubted and not was_held:
        life.become_held(here, now)  # which asks everybody, this peer too, from the beginning
        return []
    recalls = pages.recalls_of(given, found)
    is_news = [_take_recall(here, peer, object_id, recall, now) for object_id, recall in recalls.items()]
    for standing in given.stands:
        _renumber(peer, standing.stand, was_held, now)
    if not was_held and any(is_signed_here + is_news):
        life.to_compare(here.peers, now)
    return _next(here, link, given, found, was_held, now)


def _next(
    here: Here, link: Link, given: RecoveryGiven, found: pages.Joined, is_held: bool, now: datetime
) -> list[RecoveryAsked]:
    asked = RecoveryAsked(held=is_held, since=given.since, after=given.after)
    following = pages.next_recovery(asked, given, found)
    link.asked_after = following.after if following else ""
    link.asking_since = link.asking_since if following else None
    link.asked_at = now
    link.save(update_fields=["asked_after", "asking_since", "asked_at"])
    if following is None:
        life.maybe_release(here, now)
        return []
    return [following]


def _take_recall(here: Here, peer: str, object_id: str, recall: Recall, now: datetime) -> bool:
    """A recall that a peer remembers, of an own object or of its own. Whether anything of this node changed by it.

    Of an own object it is the peer's word alone: a node that was not restored knows what it recalled itself.
    """
    is_own = here.lives_here(object_id.partition(":")[0])
    if is_own and not (life.was_restored(now) and is_plausible(recall.narrowed)):
        return False
    if not is_own and authority(here, object_id, recall, peer) is not None:
        return False
    shared = remember(object_id, recall, now)
    if not is_own:
        delete_blocked(here, [shared], now)
        drop_waiting(shared)
        Waiting.objects.filter(object=object_id).exclude(state=State.REFUSED.value).update(ready=True)
        return False
    live = shared.statement
    if live is None or shared.withheld or (live.term, live.n) >= recall.narrowed:
        return False
    shared.withheld = True  # its later marking is lost: nobody but the origin may have it until that is set again
    shared.save(update_fields=["withheld"])
    return True


def _renumber(peer: str, stand: Stand, was_held: bool, now: datetime) -> None:
    """Incarnations and receipts go on above what the peer has seen of a former life, be it that nobody waited for its
    answer."""
    channel = keeping.opened([peer], stand.lane)[peer]
    if stand.incarnation and stand.incarnation not in {*channel.former, channel.incarnation}:
        channel.former = [*channel.former, stand.incarnation]
        if channel.incarnation and incarnation_number(channel.incarnation) <= incarnation_number(stand.incarnation):
            keeping.renumber(channel, now, requeue=True)  # begun since, and lower than one that the peer knows
    channel.floor_n, channel.floor_changes = stand.n, stand.changes
    channel.save(update_fields=["former", "floor_n", "floor_changes"])
    for one in InChannel.objects.select_for_update().filter(peer=peer, lane=stand.lane.value):
        if was_held or stand.n > one.n or stand.changes > one.changes:
            one.n = max(one.n, stand.n)
            one.changes = one.said = max(one.changes, stand.changes)
            one.unsaid = True
            one.save(update_fields=["n", "changes", "said", "unsaid"])


# ---- released


def released(here: Here, now: datetime) -> None:
    """Everybody was dealt with: what may be anywhere counts as attempted, what is recalled goes, all is compared."""
    life.to_compare(here.peers, now)
    _count_as_attempted(here, now)
    rows = SharedObject.objects.filter(BLOCKED, statement__isnull=False).select_related("statement", "proven")
    ids = rows.values_list("object", flat=True).order_by("object")
    after = ""
    while page := list(ids.filter(object__gt=after)[:500]):
        delete_blocked(here, list(rows.filter(object__in=page)), now)
        after = page[-1]
    Waiting.objects.exclude(state=State.REFUSED.value).update(ready=True)
    _send_again_what_waits(here, now)


def _send_again_what_waits(here: Here, now: datetime) -> None:
    """A peer said that it parked or quarantined these. A comparison takes them for held, and what becomes of them it
    says on the former incarnation, of which nobody hears."""
    waits = Recipient.objects.filter(peer__in=here.peers, state__in=(State.PARKED.value, State.QUARANTINED.value))
    for some in in_parts(list(waits.order_by("object", "peer").values_list("object", "peer"))):
        live = own_live(here).filter(object__in={name for name, _peer in some}, withheld=False)
        statements = {row.object: row.statement for row in live.select_related("statement")}
        enqueue_all(here, [(statements[name], peer) for name, peer in some if name in statements], now)


def _count_as_attempted(here: Here, now: datetime) -> None:
    """Own objects, for all who may have them: what was sent since the backup may be on its way still."""
    deciding = Deciding(here, now)
    for some in in_parts(markings_in_use(here)):
        deciding.learn(some)
        for peer in sorted(here.peers):
            may = [key for key in some if deciding.may_have(peer, key)]
            if may:
                sets.attempted(peer, own_live(here).filter(statement__marking__in=may, withheld=False), now)
