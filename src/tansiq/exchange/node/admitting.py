"""Before a body has a position: may it be looked at now, may its sender send at all (checks 5.8 to 5.10)?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Count, Sum

from tansiq.exchange import receiving
from tansiq.exchange.body import Lane, Placed, Receipt
from tansiq.exchange.models import ParkedBody, Position
from tansiq.exchange.node.arrivals import span_of
from tansiq.exchange.node.here import Here
from tansiq.exchange.reasons import Reason
from tansiq.exchange.trust import Authentic, Parked, Refused, admit

FILE = "file"
MOST_AHEAD = 1_000
"""Rosters that may be missing here of the one under which a body that is kept was addressed (check 5.9): years of
them. What names a later one would lie here for ever."""


class Became(StrEnum):
    """What a body came to."""

    TAKEN = "taken"
    REPEAT = "repeat"
    SKIPPED = "skipped"
    FULL = "full"
    """Not taken, for want of room, or since it would wait too long: its sender sends it again."""
    FROZEN = "frozen"
    PARKED = "parked"
    """As a whole: the clock here, or the roster here, is not yet as its sender's."""
    REFUSED = "refused"
    """Its sender is no member, or no longer."""
    HELD = "held"
    """This node takes no bodies for now; leave it where it is."""
    OTHER = "other"
    """It has no position: a receipt, an ask, an answer. The caller hands it to whom it concerns."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    Attributes:
        body: as admitted: of a former member's receipt only the recalls are left.
        ask_roster: its sender knows a later roster than this node; to be asked for it.
    """

    body: Authentic
    became: Became
    reason: str = ""
    ask_roster: bool = False


class Parking:
    """The room for bodies that are parked as a whole, for what comes in one call: counted once for each sender and lane
    of which there are any (section 6)."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._kept: dict[tuple[str, Lane], receiving.Waiting] = {}

    def take(self, head: Placed | Receipt, size_bytes: int) -> bool:
        """Whether one more is kept."""
        key = head.sender, head.lane
        kept = self._kept.get(key) or _kept(*key)
        if not self._here.limits[head.lane].has_room(
            bodies=kept.bodies, size_bytes=kept.size_bytes, adding_bytes=size_bytes
        ):
            return False
        self._kept[key] = receiving.Waiting(kept.bodies + 1, kept.size_bytes + size_bytes)
        return True


def _kept(peer: str, lane: Lane) -> receiving.Waiting:
    found = ParkedBody.objects.filter(peer=peer, lane=lane).aggregate(bodies=Count("pk"), size=Sum("size_bytes"))
    return receiving.Waiting(found["bodies"], found["size"] or 0)


def admitted(here: Here, body: Authentic, way: str, parking: Parking, now: datetime) -> Placed | Outcome:
    """Checks 5.8 to 5.10."""
    head = body.head
    known = head.sent_at > now + receiving.CLOCK_TOLERANCE and _is_known(body)
    found = admit(body, here.facts, now=now, by_file=way == FILE, known=known)
    if isinstance(found, Parked):
        kept = _park(here, body, way, found.reason, parking, now)
        return Outcome(body, kept, found.reason.value, ask_roster=found.reason is Reason.EPOCH)
    if isinstance(found, Refused):
        return Outcome(body, Became.REFUSED, found.reason.value)
    if not isinstance(found.head, Placed):
        return Outcome(found, Became.OTHER)
    return found.head


def _is_known(body: Authentic) -> bool:
    """Whether the channel has this body already: its clock does not matter then."""
    head = body.head
    if not isinstance(head, Placed):
        return False
    channel = {"channel__peer": head.sender, "channel__lane": head.lane, "channel__incarnation": head.incarnation}
    span = span_of(body)
    return Position.objects.filter(**channel, last=span.last, digest=span.digest).exists()


def on_roster(here: Here) -> None:
    """Another roster counts: what is parked of those that are no members by it goes."""
    ParkedBody.objects.exclude(peer__in=here.members | here.suspended).delete()


def _park(here: Here, body: Authentic, way: str, reason: Reason, parking: Parking, now: datetime) -> Became:
    """Keep the whole body, as much as the lane may hold. Asks and answers are not kept: they come again."""
    head = body.head
    if not isinstance(head, Placed | Receipt) or not _may_be_heard(here, head):
        return Became.REFUSED
    if head.epoch > here.epoch + MOST_AHEAD:
        return Became.FULL
    is_known = ParkedBody.objects.filter(pk=body.digest).exists()
    if not is_known and not parking.take(head, len(body.content)):
        return Became.FULL
    ParkedBody.objects.update_or_create(
        digest=body.digest,
        defaults={
            "body": body.content,
            "size_bytes": len(body.content),
            "signer": body.signer,
            "peer": head.sender,
            "lane": head.lane.value,
            "reason": reason.value,
            "epoch": head.epoch,
            "sent_at": head.sent_at,
            "way": way,
            "arrived_at": now,
        },
    )
    return Became.PARKED


def _may_be_heard(here: Here, head: Placed | Receipt) -> bool:
    """Whether 5.10 lets its sender through, by the roster here, or will when it is no longer suspended."""
    if head.sender in here.members | here.suspended:
        return True
    return head.sender in here.facts.former and isinstance(head, Receipt) and head.lane is Lane.URGENT
