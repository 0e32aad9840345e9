"""Whether this node speaks: restored, held until its peers were dealt with, released (section 11.1)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction

from tansiq.audit import actions as audit
from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Role, Viewer
from tansiq.exchange.body import Lane
from tansiq.exchange.channel import KEPT
from tansiq.exchange.models import Life, Link, OutboxRow, OutChannel, RecallOrder
from tansiq.exchange.node import alarms, keeping
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.locking import lock
from tansiq.exchange.values import whole_milliseconds

RESTORED, HIGHER = "restored", "higher"
"""Why a node is held: somebody restored it; a peer gave back what it has signed and does not remember."""


DOUBTED_AGAIN = timedelta(hours=1)
"""A peer that goes on saying so is not heard so long, else it would keep its link beginning anew."""


def held() -> Life | None:
    """This node's life, if it is held; None while it speaks."""
    return Life.objects.filter(pk=1, held_since__isnull=False).first()


def held_since() -> datetime | None:
    """The moment, if this node is held: what it shows of others may have been changed or recalled since."""
    return Life.objects.filter(pk=1).values_list("held_since", flat=True).first()


def is_held() -> bool:
    """Held, a node shows nothing of others but what everybody may have: its copies may be recalled by now. Queries of
    desks ask this first; those of members by ``members.withheld``."""
    return Life.objects.filter(pk=1, held_since__isnull=False).exists()


def was_restored(now: datetime) -> bool:
    """So lately that what this node said between backup and restore may still be on its way (section 8.6)."""
    return Life.objects.filter(pk=1, restored_at__gt=now - KEPT).exists()


def waiting_for(here: Here) -> frozenset[str]:
    """Peers whose answer is not complete and for whom nobody has said not to wait."""
    asked = Link.objects.filter(peer__in=here.peers, asking_since__isnull=False, waived_at=None)
    return frozenset(asked.values_list("peer", flat=True))


# ---- held


def locked(now: datetime) -> Life:
    """This node's life, first of all that a transaction locks: what settles objects locks it, too, and what publishes
    shares it."""
    row, _is_new = Life.objects.select_for_update().get_or_create(pk=1, defaults={"began_at": now})
    return row


def settling(now: datetime) -> Life:
    """The same, for who settles objects and does not change it: one at a time does, while others publish."""
    row = Life.objects.select_for_update(no_key=True).filter(pk=1).first()
    return row or locked(now)


@transaction.atomic
def restore(here: Here, now: datetime, *, reason: str = RESTORED) -> None:
    """This database is an old backup: be silent until the peers have answered (section 11.1)."""
    life = locked(now)
    lock(OutChannel.objects.all(), "peer", "lane")
    life.number, life.reason, life.held_since = life.number + 1, reason, whole_milliseconds(now)
    life.restored_at = life.held_since
    life.save()
    Link.objects.exclude(peer__in=here.peers).update(asking_since=None)
    _ask(here.peers, life.held_since)
    OutboxRow.objects.all().delete()
    for channel in OutChannel.objects.all():
        keeping.renumber(channel, now, requeue=False)
    RecallOrder.objects.filter(answered_at=None).update(statement=None)  # what of them was under way is gone
    maybe_release(here, now)


@transaction.atomic
def become_held(here: Here, now: datetime) -> None:
    """A peer has proven that this is a backup which nobody said was restored (section 11.1)."""
    alarms.raise_alarm("exchange.held", "", {}, now)
    restore(here, now, reason=HIGHER)


@transaction.atomic
def doubt(here: Here, peer: str, lane: Lane, incarnation: str, now: datetime) -> None:
    """``peer`` says that it holds what was never given here. It may be right: then this is a backup that nobody said
    was restored. But it proves nothing by saying so, and must not silence this node for all others (section 11.1). So
    the link begins anew above what it says, and the peer is asked for what it has of this node's.

    Args:
        lane, incarnation: what its receipt is about.
    """
    locked(now)
    channels = keeping.opened_in_order([(peer, one.value) for one in Lane])
    _links([peer])
    link = Link.objects.get(peer=peer)
    if is_held() or peer not in here.peers or _is_recent(link.doubted_at, now):
        return
    channel = channels[peer, lane.value]
    channel.former = sorted({*channel.former, incarnation} - {channel.incarnation})
    for one in channels.values():
        keeping.renumber(one, now, requeue=True)
    link.doubted_at = whole_milliseconds(now)
    link.save(update_fields=["doubted_at"])
    _ask([peer], link.doubted_at)
    to_compare([peer], now)
    alarms.raise_alarm("exchange.doubted", peer, {}, now)


def _is_recent(doubted_at: datetime | None, now: datetime) -> bool:
    return doubted_at is not None and now - DOUBTED_AGAIN < doubted_at <= now


@transaction.atomic
def ask_back(here: Here, peer: str, now: datetime) -> None:
    """What ``peer`` has of this node's objects may be later than what is here (sections 12 and 13)."""
    if peer in here.peers and not Link.objects.filter(peer=peer, asking_since__isnull=False).exists():
        _ask([peer], whole_milliseconds(now))


def _ask(peers: Collection[str], since: datetime) -> None:
    _links(peers)
    Link.objects.filter(peer__in=peers).update(
        asking_since=since, asked_after="", asked_at=None, waived_by="", waived_reason="", waived_at=None
    )


def may_waive(here: Here, *, by: Viewer) -> Decision:
    """The head or a duty officer of the team that operates the node."""
    is_theirs = by.person and by.team == here.team and by.roles & {Role.HEAD, Role.DUTY_OFFICER}
    return YES if is_theirs else no("exchange.waive.not_yours")


@transaction.atomic
def waive(here: Here, peer: str, *, by: Viewer, reason: str, now: datetime) -> None:
    """Do not wait for this peer. Its answer is taken all the same if it comes.

    Raises: NotAllowed; ValueError, without a reason.
    """
    if not reason.strip():
        raise ValueError("no reason")
    may_waive(here, by=by).require()
    waived = Link.objects.filter(peer=peer, asking_since__isnull=False)
    if waived.update(waived_by=by.name, waived_reason=reason, waived_at=now):
        maybe_release(here, now)
        audit.record("exchange.waived", ("node", peer), by=by, now=now, why=reason)


@transaction.atomic
def maybe_release(here: Here, now: datetime) -> bool:
    """Speak again, if everybody was dealt with. Whether this node was released by it."""
    life = locked(now)
    if life.held_since is None or waiting_for(here):
        return False
    from tansiq.exchange.node import returning  # which needs what is here

    life.held_since = None
    life.save(update_fields=["held_since"])
    returning.released(here, now)
    alarms.end_alarm("exchange.held", "", now)
    return True


# ---- rosters


@transaction.atomic
def on_roster(before: Here, after: Here, now: datetime) -> None:
    """Whoever is met for the first time, or again, is asked and compared with; who left is waited for no longer."""
    row = locked(now)
    added = after.members - before.members
    met = (after.members if after.code in added else added) - {after.code}
    to_compare(met, now)
    Link.objects.exclude(peer__in=after.peers).update(asking_since=None)
    if row.held_since is None:
        for peer in sorted(met):
            ask_back(after, peer, now)
        return
    _ask(added - {after.code}, row.held_since)
    maybe_release(after, now)


def to_compare(peers: Collection[str], now: datetime) -> None:
    """Links of which it is not known any more that both sides hold the same."""
    _links(peers)
    keeping.note_incomplete(Link.objects.filter(peer__in=peers), now)


def _links(peers: Collection[str]) -> None:
    """Their rows, made where there are none, and locked."""
    Link.objects.bulk_create([Link(peer=peer) for peer in sorted(peers)], ignore_conflicts=True)
    lock(Link.objects.filter(peer__in=peers))
