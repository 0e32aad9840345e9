"""Before a body has a position: may it be looked at now, may its sender send at all (checks 5.8 to 5.10)?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tansiq.exchange import receiving
from tansiq.exchange.body import Placed, Receipt
from tansiq.exchange.models import ParkedBody, Position
from tansiq.exchange.node.arrivals import span_of
from tansiq.exchange.node.here import Here
from tansiq.exchange.reasons import Reason
from tansiq.exchange.trust import Authentic, Parked, Refused, admit

FILE = "file"


class Became(StrEnum):
    """What a body came to."""

    TAKEN = "taken"
    REPEAT = "repeat"
    SKIPPED = "skipped"
    FULL = "full"
    """Not taken, for want of room: its sender sends it again."""
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


def admitted(here: Here, body: Authentic, way: str, now: datetime) -> Placed | Outcome:
    """Checks 5.8 to 5.10."""
    head = body.head
    known = head.sent_at > now + receiving.CLOCK_TOLERANCE and _is_known(body)
    found = admit(body, here.facts, now=now, by_file=way == FILE, known=known)
    if isinstance(found, Parked):
        kept = _park(here, body, way, found.reason, now)
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


def _park(here: Here, body: Authentic, way: str, reason: Reason, now: datetime) -> Became:
    """Keep the whole body, as many as the lane may hold. Asks and answers are not kept: they come again."""
    head = body.head
    if not isinstance(head, Placed | Receipt):
        return Became.REFUSED
    limit = here.limits[head.lane]
    known = ParkedBody.objects.filter(peer=head.sender, lane=head.lane)
    is_known = known.filter(pk=body.digest).exists()
    if not is_known and known.count() >= limit.bodies:
        return Became.FULL
    ParkedBody.objects.update_or_create(
        digest=body.digest,
        defaults={
            "body": body.content,
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
