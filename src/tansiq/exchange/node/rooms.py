"""Whether a channel may hold one more that is parked, quarantined or refused (section 6)."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Count, Sum

from tansiq.exchange import receiving
from tansiq.exchange.body import Lane
from tansiq.exchange.channel import Limit
from tansiq.exchange.models import InChannel, Waiting
from tansiq.exchange.node import candidates
from tansiq.exchange.node.candidates import Candidate


class Rooms:
    """For one transaction, between two times of storing."""

    def __init__(self, limits: Mapping[Lane, Limit]) -> None:
        self._limits = limits
        self._counted: dict[int, receiving.Waiting] = {}  # channel -> what waits there, counted
        self._new: dict[int, receiving.Waiting] = {}  # channel -> what will wait there, not stored yet

    def clear(self) -> None:
        """What was new is stored, and in the channels' own counters."""
        self._counted.clear()
        self._new.clear()

    def take(self, candidate: Candidate) -> bool:
        """By the channel's counters; where these say no, by what really waits: a gap may just have closed."""
        channel = candidate.row.channel
        above = receiving.Waiting(channel.above_bodies, channel.above_bytes)
        known = self._counted.get(channel.pk) or receiving.Waiting(
            channel.waiting_bodies - above.bodies, channel.waiting_bytes - above.size_bytes
        )
        if not self._fits(known, candidate) and channel.pk not in self._counted:
            known = self._counted[channel.pk] = parked(channel)
        if not self._fits(known, candidate):
            return False
        if candidate.row.pk is None:
            new = self._new.get(channel.pk, receiving.Waiting())
            self._new[channel.pk] = receiving.Waiting(new.bodies + 1, new.size_bytes + candidate.row.size_bytes)
        return True

    def _fits(self, known: receiving.Waiting, candidate: Candidate) -> bool:
        channel = candidate.row.channel
        new = self._new.get(channel.pk, receiving.Waiting())
        return self._limits[candidates.lane_of(channel)].has_room(
            bodies=known.bodies + new.bodies,
            size_bytes=known.size_bytes + new.size_bytes,
            adding_bytes=candidate.row.size_bytes,
        )


def parked(channel: InChannel) -> receiving.Waiting:
    """What of a channel waits for something other than a gap or its turn, or was refused."""
    rows = Waiting.objects.filter(channel=channel, ready=False).exclude(reason=receiving.GAP)
    found = rows.aggregate(bodies=Count("pk"), size=Sum("size_bytes"))
    return receiving.Waiting(found["bodies"], found["size"] or 0)
