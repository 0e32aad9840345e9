"""Recalls that come: whose counts, what is deleted, what is kept and why, and to whom it is passed on (section 12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Q, Sum

from tansiq.audit import actions as audit
from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Viewer
from tansiq.exchange.body import State, Version
from tansiq.exchange.kinds import owner_of
from tansiq.exchange.models import (
    InChannel,
    ObjectChange,
    OutboxRow,
    RecallHeard,
    Recipient,
    SharedObject,
    Statement,
    Waiting,
)
from tansiq.exchange.node import candidates, keeping, life
from tansiq.exchange.node.deciding import Deciding
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.orders import DELETED, KEPT, recall_from
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.node.tombstones import below, recall_of, set_recall, up_to
from tansiq.exchange.node.waking import wake
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Cause, Recall

KEEPING = (Reason.EVIDENCE, Reason.LAW)
TAKEN = (State.STORED.value, State.HAD.value)
"""What the receipt said of a version that somebody proved to have: also once it is deleted, or was here before."""


# ---- whose counts


def authority(here: Here, object_id: str, recall: Recall, sender: str) -> Reason | None:
    """Does a recall of ``sender`` count here? The home of the owner's team may recall an object; who forwarded it to us
    may, too.

    Returns: None: it counts. ``REFERENCE``: it came before what it recalls, and waits for it. ``NOT_OWNER``: neither.
    """
    home = here.facts.homes.get(owner_of(object_id))
    if home == here.code:
        return Reason.NOT_OWNER
    if home == sender:
        return None
    if sender not in here.facts.forwarders:
        return Reason.NOT_OWNER
    known = recall_of(SharedObject.objects.filter(object=object_id).first())
    came = (
        known.joined(recall) == known
        or Statement.objects.filter(object=object_id, came_from=sender).exists()
        or Waiting.objects.filter(object=object_id, channel__peer=sender).exists()
        or ObjectChange.objects.filter(object=object_id, channel__peer=sender, state__in=TAKEN).exists()
    )
    return None if came else Reason.REFERENCE


# ---- what is done


@transaction.atomic
def heed(here: Here, object_id: str, recall: Recall, *, recall_id: str, came_from: str, now: datetime) -> str:
    """Obey a recall whose sender has the authority. Its object is to be settled afterwards, with all that waits for it.

    Returns: the reason that the receipt gives for the state ``recalled``: deleted, or kept as a person decided.
    """
    shared = remember(object_id, recall, now)
    delete_blocked(here, [shared], now)
    drop_waiting(shared)
    reason = shared.kept_reason or DELETED
    RecallHeard.objects.update_or_create(
        recall=recall_id,
        peer=came_from,
        defaults={
            "object": object_id,
            "heard_at": now,
            "outcome": KEPT if shared.kept_reason else DELETED,
            "reason": reason,
        },
    )
    return reason


def remember(object_id: str, recall: Recall, now: datetime) -> SharedObject:
    """Join a recall to the tombstone of an object. References to it are satisfied from now on; others' recalls of it
    may say no more than this one."""
    shared, _is_new = SharedObject.objects.select_for_update().get_or_create(
        object=object_id, defaults={"owner": owner_of(object_id)}
    )
    set_recall(shared, recall_of(shared).joined(recall))
    shared.known, shared.recalled_at = True, now
    shared.save()
    wake([object_id, candidates.RECALLED + object_id])
    return shared


@transaction.atomic
def delete_blocked(here: Here, shared_objects: Collection[SharedObject], now: datetime) -> None:
    """Delete what is live of others' objects though it is recalled, unless a person keeps it; pass the recall on."""
    reviewed: list[str] = []
    for shared in shared_objects:
        recall, live = recall_of(shared), shared.statement
        home = here.facts.homes.get(shared.owner)
        if home == here.code or (home is None and live is not None and not live.came_from):
            continue  # its own, or its own before a roster removed this node
        if live is not None and recall.blocks(Version(live.term, live.n), epoch=shared.epoch):
            reviewed.append(shared.object)
            if shared.kept_reason:
                continue
            shared.statement, shared.epoch = None, 0
            kind = here.kinds.get(shared.kind)
            if kind is not None:
                kind.withdraw(shared.object, now)
        proven = shared.proven
        if proven is not None and recall.blocks(Version(proven.term, proven.n), epoch=shared.epoch):
            shared.proven = None
        shared.save(update_fields=["statement", "epoch", "proven"])
        _destroy(shared, recall)
    review_forwards(here, reviewed, now)


def _destroy(shared: SharedObject, recall: Recall) -> None:
    """The content of recalled versions, wherever this node still has it: as statements, rows and bodies to be sent."""
    doomed = Statement.objects.filter(object=shared.object).filter(below(*recall.narrowed) | up_to(*recall.left))
    kept = [pk for pk in (shared.statement_id, shared.proven_id) if pk is not None]
    ids = list(doomed.exclude(pk__in=kept).values_list("pk", flat=True))
    keeping.still({shared.object: None})
    OutboxRow.objects.filter(statement__in=ids).delete()
    keeping.destroy(ids)
    Statement.objects.filter(pk__in=ids).delete()


def drop_waiting(shared: SharedObject) -> None:
    """What of it was quarantined or refused goes too. What is parked is settled as any other, and says so itself."""
    recall = recall_of(shared)
    blocked = below(*recall.narrowed) | (up_to(*recall.left) & Q(epoch__lte=recall.epoch))
    closed = Waiting.objects.filter(blocked, object=shared.object).exclude(state=State.PARKED.value)
    above = Q(seq__gt=F("channel__through"))
    counted = closed.values("channel").annotate(
        count=Count("pk"), size=Sum("size_bytes"), high=Count("pk", filter=above), large=Sum("size_bytes", filter=above)
    )
    for row in list(counted.order_by()):
        InChannel.objects.filter(pk=row["channel"]).update(
            waiting_bodies=F("waiting_bodies") - row["count"],
            waiting_bytes=F("waiting_bytes") - row["size"],
            above_bodies=F("above_bodies") - row["high"],
            above_bytes=F("above_bytes") - (row["large"] or 0),
        )
    closed.delete()


# ---- what is kept


def may_keep(here: Here, *, by: Viewer) -> Decision:
    """A person of a team that lives here decides; the node's own work does not."""
    return YES if by.person and by.team and here.lives_here(by.team) else no("exchange.keep.not_here")


@transaction.atomic
def keep(here: Here, object_id: str, reason: Reason, *, by: Viewer, now: datetime, why: str = "") -> None:
    """Keep another's object against its recall, be that known already or not; its originator is told the reason.

    Raises: NotAllowed; ValueError, for a reason that is none of ``KEEPING``.
    """
    if reason not in KEEPING:
        raise ValueError(reason)
    may_keep(here, by=by).require()
    life.settling(now)  # what settles the object, or says what became of its recall, is over
    shared, _is_new = SharedObject.objects.select_for_update().get_or_create(
        object=object_id, defaults={"owner": owner_of(object_id)}
    )
    shared.kept_reason, shared.kept_by, shared.kept_at = reason.value, by.name, now
    shared.save(update_fields=["kept_reason", "kept_by", "kept_at"])
    for heard in RecallHeard.objects.filter(object=object_id).exclude(outcome=KEPT, reason=reason.value):
        _say_again(heard, reason)
    RecallHeard.objects.filter(object=object_id).update(outcome=KEPT, reason=reason.value)
    audit.record("exchange.kept", ("object", object_id), by=by, now=now, why=why, reason=reason.value)


def _say_again(heard: RecallHeard, reason: Reason) -> None:
    """The next receipt of the channel on which a recall came says what became of it."""
    for change in ObjectChange.objects.filter(object=heard.recall, channel__peer=heard.peer):
        channel = InChannel.objects.select_for_update().get(pk=change.channel_id)
        channel.changes, channel.unsaid = channel.changes + 1, True
        channel.save(update_fields=["changes", "unsaid"])
        change.number, change.state, change.reason = channel.changes, State.RECALLED.value, reason.value
        change.save(update_fields=["number", "state", "reason"])


# ---- to whom it is passed on


@transaction.atomic
def review_forwards(here: Here, object_ids: Iterable[str], now: datetime) -> None:
    """Who forwarded an object decides again for each to whom it did, and recalls from those who may not have it."""
    deciding = Deciding(here, now)
    for some in in_parts(object_ids):
        forwards = list(Recipient.objects.filter(object__in=some, forwarded=True).order_by("object", "peer"))
        if not forwards:
            continue
        shared = SharedObject.objects.select_related("statement", "proven").defer(
            "statement__content", "proven__content"
        )
        by_id = shared.in_bulk({row.object for row in forwards})
        for row in forwards:
            recall = _of_forward(deciding, by_id.get(row.object), row.peer)
            if recall is None:
                continue
            row.forwarded = False
            row.save(update_fields=["forwarded"])
            if recall != Recall():
                cause = Cause.MARKING if recall.narrowed > recall.left else Cause.ROSTER
                recall_from(here, row.peer, {row.object: recall}, cause, now)


def _of_forward(deciding: Deciding, shared: SharedObject | None, peer: str) -> Recall | None:
    """What recalls a forwarded object from ``peer``; None: it may stay; an empty one: it is gone, and nothing follows.

    That it left itself is not passed on: the owner recalls what it sent, and this node's own leaving is no other's.
    """
    known = recall_of(shared)
    live = shared.statement if shared else None
    if shared is None or live is None or known.blocks(version := Version(live.term, live.n), epoch=shared.epoch):
        return Recall(narrowed=known.narrowed)
    proven = shared.proven
    latest = Version(proven.term, proven.n) if proven else version
    marking = proven.marking_id if proven and latest > version else live.marking_id
    deciding.learn([marking])
    if deciding.may_have(peer, marking):
        return None
    left = Recall(left=version, epoch=deciding.here.epoch)
    if peer not in deciding.here.members:
        return left
    return left.joined(Recall(narrowed=max(version, latest)))
