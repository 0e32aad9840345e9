"""Receipts that only say that everything is there, believed all at once: an alert to all is answered by all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Count, F, Q, Sum

from tansiq.exchange import receipts
from tansiq.exchange.body import ObjectState, Receipt, State
from tansiq.exchange.models import OutChannel, Sent
from tansiq.exchange.node import keeping, rows
from tansiq.exchange.receipts import Holding, Weighed

_BELIEVED = ("believed_n", "believed_through", "believed_hash", "believed_highest", "believed_changes")
_FOLLOWING = ("waiting_bodies", "waiting_bytes", "heard_at", "idle_until", "told_changes", "unsettled")

OPEN = (State.PARKED, State.QUARANTINED)
Plain = Mapping[int, tuple[OutChannel, Weighed]]
"""Number of a receipt -> its channel, and what it is believed to say."""


def plain_of(said: Sequence[Receipt], holdings: Sequence[Holding]) -> Plain:
    """Those that have no gaps, and whose channels have none to be mended; of each channel the only one.

    Everything else, and whatever is an alarm, is believed by itself.
    """
    several = Counter((one.sender, one.lane) for one in said)
    asked = {
        (one.sender, one.lane.value): number
        for number, one in enumerate(said)
        if not one.gaps and one.through == one.highest and several[one.sender, one.lane] == 1
    }
    peers, lanes = {peer for peer, _lane in asked}, {lane for _peer, lane in asked}
    found = OutChannel.objects.select_for_update().filter(peer__in=peers, lane__in=lanes)
    channels = {
        number: row
        for row in found.order_by("peer", "lane")
        if (number := asked.get((row.peer, row.lane))) is not None and _is_plain(row, said[number])
    }
    ends = Q(channel__in=[row.pk for row in channels.values()], last__in={said[number].through for number in channels})
    digests = {
        (key, last): digest for key, last, digest in Sent.objects.filter(ends).values_list("channel", "last", "digest")
    }
    plain: dict[int, tuple[OutChannel, Weighed]] = {}
    for number, row in channels.items():
        ours = digests.get((row.pk, said[number].through))
        weighed = receipts.weigh(keeping.belief_of(row), holdings[number], given=row.given, digest_at_through=ours)
        if weighed.alarm is None and (ours is not None or not said[number].through):
            plain[number] = row, weighed
    return plain


def _is_plain(channel: OutChannel, receipt: Receipt) -> bool:
    return (
        channel.incarnation == receipt.incarnation
        and not channel.believed_gaps
        and receipt.through >= max(channel.believed_highest, channel.pruned_through)
    )


def believe(plain: Plain, said: Sequence[Receipt], now: datetime) -> dict[str, list[ObjectState]]:
    """Returns: peer -> what it says of objects, to be noted by the caller."""
    newer = {number: row for number, (row, weighed) in plain.items() if weighed.belief.n > row.believed_n}
    states: dict[str, list[ObjectState]] = {}
    for number, row in newer.items():
        _row, weighed = plain[number]
        belief = weighed.belief
        told(row, said[number])
        row.believed_n, row.believed_through, row.believed_hash = belief.n, belief.through, belief.body_hash
        row.believed_highest, row.believed_changes = belief.highest, belief.changes
        row.heard_at, row.idle_until = now, None
        states.setdefault(row.peer, []).extend(weighed.objects)
    channels = list(newer.values())
    rows.update(channels, _BELIEVED)
    _cover({row.pk: row for row in channels}, now)
    rows.update(channels, _FOLLOWING)
    return states


def told(channel: OutChannel, receipt: Receipt) -> None:
    """How far its recipient's changes go, whether they are known here or not, and whether something is open there."""
    channel.told_changes = receipt.changes
    channel.unsettled = channel.unsettled or any(one.state in OPEN for one in receipt.objects)


def _cover(channels: Mapping[int, OutChannel], now: datetime) -> None:
    """All that the rows of the channels now say to be there."""
    through = F("channel__believed_through")
    there = Sent.objects.filter(channel__in=channels, covered_at=None, last__lte=through)
    for key, bodies, size in there.values_list("channel").annotate(Count("id"), Sum("size_bytes")).order_by():
        channels[key].waiting_bodies -= bodies
        channels[key].waiting_bytes -= size
    there.update(covered_at=now)
