"""The bodies of one channel while one transaction gives them their positions (section 6)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Sum

from tansiq.exchange import receiving
from tansiq.exchange.body import Placed, Skip
from tansiq.exchange.channel import Span
from tansiq.exchange.models import InChannel, Position, Waiting, WaitingFor
from tansiq.exchange.node import alarms, candidates, holding
from tansiq.exchange.node.candidates import Candidate
from tansiq.exchange.node.examining import Examined, examine
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.positions import StoredPositions, cursor_of
from tansiq.exchange.node.rows import insert
from tansiq.exchange.node.settlement import Settlement
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Place
from tansiq.exchange.trust import Authentic


def span_of(body: Authentic) -> Span:
    """The positions of a body, without writing it again for its digest."""
    head = body.head
    assert isinstance(head, Placed)
    return Span.of(head) if isinstance(head, Skip) else Span(head.seq, head.seq, head.prev, body.digest)


class Arrivals:
    """``take`` each body in the order of positions, then ``store`` these and whatever follows from them."""

    def __init__(
        self, here: Here, channel: InChannel, spans: Sequence[Span], settlement: Settlement, now: datetime
    ) -> None:
        self.here, self.channel, self.settlement, self.now = here, channel, settlement, now
        self._positions = StoredPositions(channel, spans)
        self._cursor = cursor_of(channel)
        self._began_at = self._passed_to = channel.through
        self._arrived: list[Candidate] = []
        self._new_above: deque[tuple[int, int]] = deque()  # position and size of what came now, in order
        self._new_above_bytes = 0
        self._limit = here.limits[candidates.lane_of(channel)]

    def take(self, body: Authentic, way: str, examined: Examined | None) -> Place:
        """``examined``: None where it seemed to be known already."""
        head = body.head
        assert isinstance(head, Placed)
        span = span_of(body)
        taken = receiving.take(
            self._cursor,
            self._positions,
            span,
            is_skip=isinstance(head, Skip),
            above_gap=self._above_gap(len(body.content)),
            size_bytes=len(body.content),
            limit=self._limit,
        )
        if taken.place is not Place.FULL:
            self.channel.unsaid = True
            self.settlement.writing.channels.add(self.channel.pk)
        if taken.place is Place.FROZEN:
            self._freeze(body, taken.contradicts)
        if taken.place is Place.NEW:
            self._positions.add(span)
            size_bytes = 0
            if not isinstance(head, Skip):
                size_bytes = len(body.content)
                examined = examined or examine(self.here, body, self.here.judge(self.now), now=self.now)
                self._arrived.append(Candidate.of(self.here, self.channel, examined, way, self.now))
            self._new_above.append((span.first, size_bytes))
            self._new_above_bytes += size_bytes
        self._move(taken.cursor)
        return taken.place

    def _above_gap(self, adding_bytes: int) -> receiving.Waiting:
        """What the channel holds above its first gap, of before and of now; counted off what has passed only where it
        would be too much."""
        above = self._counted_above()
        if self._passed_to < self._cursor.through and not self._limit.has_room(
            bodies=above.bodies, size_bytes=above.size_bytes, adding_bytes=adding_bytes
        ):
            self._count_passed()
            above = self._counted_above()
        return above

    def _counted_above(self) -> receiving.Waiting:
        """Positions that are taken there, whatever became of them, and the bytes of what waits (section 6)."""
        while self._new_above and self._new_above[0][0] <= self._cursor.through:
            self._new_above_bytes -= self._new_above.popleft()[1]
        return receiving.Waiting(
            self.channel.above_spans + len(self._new_above), self.channel.above_bytes + self._new_above_bytes
        )

    def _count_passed(self) -> None:
        """What was above a gap that has closed since is there no more."""
        channel, low, high = self.channel, self._passed_to, self._cursor.through
        self._passed_to = high
        if low < high and channel.above_spans:
            channel.above_spans -= Position.objects.filter(channel=channel, last__gt=low, last__lte=high).count()
        if low < high and channel.above_bodies:
            passed = Waiting.objects.filter(channel=channel, seq__gt=low, seq__lte=high)
            found = passed.aggregate(bodies=Count("pk"), size=Sum("size_bytes"))
            self.settlement.writing.count(channel, "above", bodies=-found["bodies"], size_bytes=-(found["size"] or 0))

    def _move(self, cursor: receiving.Cursor) -> None:
        self._cursor, channel = cursor, self.channel
        channel.through, channel.hash, channel.highest = cursor.through, cursor.hash, cursor.highest
        channel.frozen = cursor.frozen

    def _freeze(self, body: Authentic, position: int | None) -> None:
        """Keep both bodies, if the other is still here (section 11.2)."""
        head = body.head
        assert isinstance(head, Placed)
        if position is None or self._cursor.frozen:  # it froze before
            return
        other = Waiting.objects.filter(channel=self.channel, seq=position).first()
        holding.freeze(
            self.here,
            head.sender,
            "equivocation",
            self.now,
            lane=head.lane.value,
            incarnation=head.incarnation,
            digest=body.digest,
            body=body.content,
            position=position,
            other_digest=self._positions.digest_at(position) or "",
            other_body=bytes(other.body) if other else None,
        )

    def store(self) -> None:
        """Write the positions, settle what has come and what it wakes, and write that."""
        channel, settlement = self.channel, self.settlement
        self._count_passed()
        channel.above_spans = self._counted_above().bodies
        insert(
            [
                Position(
                    channel=channel,
                    first=span.first,
                    last=span.last,
                    prev=span.prev,
                    digest=span.digest,
                    taken_at=self.now,
                )
                for span in self._positions.added
            ]
        )
        if channel.through > self._began_at:
            Waiting.objects.filter(
                channel=channel, seq__gt=self._began_at, seq__lte=channel.through, reason=receiving.GAP
            ).update(ready=True)
        settlement.writing.channels.add(channel.pk)
        settlement.take_in(self._arrived)
        objects = list(dict.fromkeys(one.row.object for one in self._arrived if one.row.object))
        settlement.run([*self._recalls_of(objects), *objects])
        settlement.store()
        self._tell_of_refused()

    def _recalls_of(self, objects: Sequence[str]) -> list[str]:
        """Recalls that came before what they recall (section 12): from now on they may count."""
        if not objects:
            return []
        waited = WaitingFor.objects.filter(what__in=[candidates.RECALLED + one for one in objects])
        found = waited.filter(waiting__channel__peer=self.channel.peer).values_list("waiting__object", flat=True)
        return sorted(set(found))

    def _tell_of_refused(self) -> None:
        """Check 5.16: an alarm here; the receipt makes one at its sender."""
        refused = [one.row for one in self._arrived if one.row.refused == Reason.NOT_ENTITLED]
        if refused:
            alarms.raise_alarm(
                "exchange.not_entitled", self.channel.peer, {"count": len(refused), "lane": self.channel.lane}, self.now
            )
