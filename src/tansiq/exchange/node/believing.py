"""What receipts make a sender believe: positions covered and missing, and what became of objects (section 3.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Sum

from tansiq.exchange import receipts, sending
from tansiq.exchange.body import ObjectState, Receipt, State
from tansiq.exchange.channel import Span
from tansiq.exchange.held import MOST_NUMBERED
from tansiq.exchange.models import OutChannel, Recipient, Sent
from tansiq.exchange.node import believing_plain, keeping
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.refusing import entry_of
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receipts import Alarm, Holding
from tansiq.exchange.sending import Entry
from tansiq.exchange.values import incarnation_number

FOREVER_LOST = "exchange.lost"
"""Alarm: a peer lacks what is kept no longer; a new incarnation begins, and the two are compared."""


@dataclass(frozen=True, slots=True)
class Follow:
    """What is to be done after a receipt.

    Attributes:
        ask_since: a receipt with the changes after this number is to be asked for on the channel (section 3.6).
        doubted: the peer says that it holds what this node never gave; it may be right.
        frozen: the two tell different stories of one position.
    """

    ask_since: int | None = None
    doubted: bool = False
    frozen: bool = False


def on_receipts(here: Here, said: Sequence[Receipt], now: datetime) -> list[Follow]:
    """Believe several, or not, the plain ones first; what follows from each, in the order given."""
    plain = _on_plain(here, said, now) if len(said) > 1 else {}
    return [plain.get(number) or on_receipt(here, one, now) for number, one in enumerate(said)]


@transaction.atomic
def _on_plain(here: Here, said: Sequence[Receipt], now: datetime) -> dict[int, Follow]:
    """Number of a receipt -> what follows from it; of those that were believed together."""
    from tansiq.exchange.node import holding

    if holding.is_held():
        return {}
    plain = believing_plain.plain_of(said, [_said(one) for one in said])
    _note_states(here, believing_plain.believe(plain, said, now), now)
    return {number: Follow(ask_since=weighed.ask_since) for number, (_channel, weighed) in plain.items()}


def on_receipt(here: Here, receipt: Receipt, now: datetime) -> Follow:
    """Believe a receipt, or not (section 3.5); of an incarnation that is over it says nothing any more."""
    from tansiq.exchange.node import life

    follow = _on_receipt(here, receipt, now)
    if follow.doubted:
        # Which locks more than one channel, and what comes before them.
        life.doubt(here, receipt.sender, receipt.lane, receipt.incarnation, now)
    return follow


@transaction.atomic
def _on_receipt(here: Here, receipt: Receipt, now: datetime) -> Follow:
    from tansiq.exchange.node import holding

    if holding.is_held():
        return Follow()
    channel = keeping.locked(receipt.sender, receipt.lane)
    if channel is None or channel.incarnation != receipt.incarnation:
        return Follow(doubted=_is_of_another_life(channel, receipt))
    said = _said(receipt)
    ours = Sent.objects.filter(channel=channel, last=said.through).values_list("digest", flat=True).first()
    weighed = receipts.weigh(keeping.belief_of(channel), said, given=channel.given, digest_at_through=ours)
    if weighed.alarm is Alarm.HIGHER:
        return Follow(doubted=True)
    if weighed.alarm is Alarm.OTHER_CHAIN:
        _freeze(here, receipt, ours or "", now)
        return Follow(frozen=True)
    if weighed.belief.n > channel.believed_n:
        believing_plain.told(channel, receipt)
        _believe(channel, weighed.belief, now)
        _note_states(here, {receipt.sender: weighed.objects}, now)
    return Follow(ask_since=weighed.ask_since)


def _is_of_another_life(channel: OutChannel | None, receipt: Receipt) -> bool:
    """It is about an incarnation later than any that this node gave, and leaves room above (sections 2.1 and 3.6)."""
    known = {*channel.former, channel.incarnation} - {""} if channel else set()
    number = incarnation_number(receipt.incarnation)
    return number <= MOST_NUMBERED and all(number > incarnation_number(one) for one in known)


def _said(receipt: Receipt) -> Holding:
    return Holding(
        receipt.n,
        receipt.through,
        receipt.body_hash,
        receipt.highest,
        receipt.gaps,
        receipt.since,
        receipt.changes,
        receipt.objects,
    )


def _freeze(here: Here, receipt: Receipt, ours: str, now: datetime) -> None:
    from tansiq.exchange.node import holding

    holding.freeze(
        here,
        receipt.sender,
        "receipt",
        now,
        lane=receipt.lane.value,
        incarnation=receipt.incarnation,
        position=receipt.through,
        digest=receipt.digest,
        body=receipt.written(),
        other_digest=ours,
    )


def _believe(channel: OutChannel, belief: Holding, now: datetime) -> None:
    _cover_through(channel, belief.through, now)
    _answer_above(channel, belief, now)
    channel.believed_n, channel.believed_through, channel.believed_hash = belief.n, belief.through, belief.body_hash
    reached = max(channel.believed_highest, belief.highest)
    channel.believed_highest, channel.believed_changes = belief.highest, belief.changes
    channel.believed_gaps, channel.heard_at = [list(gap) for gap in belief.gaps], now
    channel.idle_until = None
    _uncover(channel, belief, reached)
    channel.save()
    if _is_lost(channel, belief):
        from tansiq.exchange.node import alarms

        keeping.renumber(channel, now, requeue=True)
        keeping.incomplete(channel.peer, now)
        alarms.raise_alarm(FOREVER_LOST, channel.peer, {"lane": channel.lane}, now)


def _cover_through(channel: OutChannel, through: int, now: datetime) -> None:
    """The usual case, however many there are: two statements."""
    rows = Sent.objects.filter(channel=channel, covered_at=None, last__lte=through, first__lte=through)
    count = rows.aggregate(bodies=Count("id"), size=Sum("size_bytes"))
    if count["bodies"]:
        rows.update(covered_at=now)
        channel.waiting_bodies -= count["bodies"]
        channel.waiting_bytes -= count["size"]


def _answer_above(channel: OutChannel, belief: Holding, now: datetime) -> None:
    """Above the first gap: what is there is covered, what is missing and not under way goes at once."""
    rows = list(Sent.objects.filter(channel=channel, covered_at=None, first__lte=belief.horizon).defer("body"))
    covered, missing = sending.answered([entry_of(row) for row in rows], belief, now=now)
    _update([entry.span.first for entry in covered], channel, covered_at=now)
    _update([entry.span.first for entry in missing], channel, next_at=None, tried_at=None)
    gone = {entry.span.first for entry in covered}
    channel.waiting_bodies -= len(gone)
    channel.waiting_bytes -= sum(row.size_bytes for row in rows if row.first in gone)


def _uncover(channel: OutChannel, belief: Holding, reached: int) -> None:
    """What was covered and is not now: its recipient was restored, and gets it again."""
    rows = Sent.objects.filter(
        channel=channel, covered_at__isnull=False, last__gt=belief.through, last__lte=reached
    ).only("first", "last", "prev", "digest", "size_bytes", "covered_at")
    back = [row for row in rows if not sending.is_covered(belief, _span(row))]
    _update([row.first for row in back], channel, covered_at=None, attempts=0, next_at=None, tried_at=None)
    channel.waiting_bodies += len(back)
    channel.waiting_bytes += sum(row.size_bytes for row in back)


def _update(positions: Sequence[int], channel: OutChannel, **changes: object) -> None:
    for start in range(0, len(positions), keeping.PAGE):
        chosen = positions[start : start + keeping.PAGE]
        Sent.objects.filter(channel=channel, first__in=chosen).update(**changes)


def _is_lost(channel: OutChannel, belief: Holding) -> bool:
    """Does the recipient lack a position that is kept no longer (section 8.6)?"""
    kept_from = channel.pruned_through
    runs = [*belief.gaps, (belief.horizon + 1, channel.given)]
    missing = [(first, min(last, kept_from)) for first, last in runs if first <= min(last, kept_from)]
    entries = [
        _span(row)
        for first, last in missing
        for row in Sent.objects.filter(channel=channel, last__gte=first, first__lte=last).only(
            "first", "last", "prev", "digest"
        )
    ]
    return sending.lost(entries, missing)


def _span(row: Sent) -> Entry:
    return Entry(Span(row.first, row.last, row.prev, row.digest), None, None)


def _note_states(here: Here, said: Mapping[str, Sequence[ObjectState]], now: datetime) -> None:
    """What nodes say of objects that were attempted to them; of recalls it is told to whoever made them."""
    last = {(state.object, peer): state for peer, states in said.items() for state in states}
    if not last:
        return
    known = Recipient.objects.filter(peer__in=said, object__in={object_id for object_id, _peer in last})
    pairs = [pair for pair in known.order_by("peer", "object").values_list("object", "peer") if pair in last]
    Recipient.objects.bulk_create(
        [_stated(object_id, peer, last[object_id, peer], now) for object_id, peer in pairs],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["object", "peer"],
        update_fields=["state", "reason", "state_term", "state_n", "state_at"],
    )
    from tansiq.exchange.node import recalls

    for peer, states in said.items():
        recalls.on_states(here, peer, states, now)
        _tell_of_refused(peer, states, {object_id for object_id, one in pairs if one == peer}, now)


def _tell_of_refused(peer: str, states: Sequence[ObjectState], attempted: set[str], now: datetime) -> None:
    """Check 5.16 failed there: an alarm at this end, too."""
    from tansiq.exchange.node import alarms

    refused = {one.object for one in states if one.state is State.REFUSED and one.reason == Reason.NOT_ENTITLED}
    if refused & attempted:
        alarms.raise_alarm("exchange.not_entitled_there", peer, {"count": len(refused & attempted)}, now)


def _stated(object_id: str, peer: str, said: ObjectState, now: datetime) -> Recipient:
    return Recipient(
        object=object_id,
        peer=peer,
        state=said.state.value,
        reason=said.reason,
        state_term=said.version.term,
        state_n=said.version.n,
        state_at=now,
    )
