"""The checks 5.11 to 5.19 of one body, and what they make of it. No database: made before a transaction begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tansiq.exchange import reading, trust
from tansiq.exchange.body import Envelope, Placed
from tansiq.exchange.facts import Judge
from tansiq.exchange.node.here import Here
from tansiq.exchange.reasons import Reason
from tansiq.exchange.trust import CLOCK_TOLERANCE, Authentic, Parked, Quarantined, Refused
from tansiq.exchange.values import OBJECT, Unfit
from tansiq.openpgp import sealing


@dataclass(frozen=True, slots=True)
class Examined:
    """What is so of an envelope under the roster here.

    Attributes:
        envelope: None where it is malformed (5.11).
        object: its id; of a malformed one whatever can be read of it, or empty.
        proven: it passed 5.17: its author's team speaks for the object.
        not_before: its signature is of a later moment than the clock here may be wrong by (5.13), until then.
    """

    body: Authentic
    envelope: Envelope | None
    object: str
    unfit: Reason | None = None
    refused: Reason | None = None
    detail: str = ""
    proven: bool = False
    not_before: datetime | None = None


def examine(here: Here, body: Authentic, judge: Judge, *, now: datetime) -> Examined:
    """Raises: ValueError, for what is no envelope."""
    found = trust.examine(body, here.facts, judge, now=now)
    if isinstance(found, Envelope):
        return Examined(body, found, found.object, proven=True)
    assert isinstance(body.head, Placed)
    try:
        envelope = reading.read_envelope(body.head)
    except Unfit:
        return Examined(body, None, _object_of(body.head), unfit=Reason.MALFORMED, detail=_detail(found))
    if isinstance(found, Parked):
        early = _not_before(envelope) if found.reason is Reason.CLOCK else None
        return Examined(body, envelope, envelope.object, proven=early is None, not_before=early)
    if isinstance(found, Refused):
        unfit = None if judge.may_write(envelope) else Reason.NOT_OWNER
        return Examined(body, envelope, envelope.object, unfit=unfit, refused=found.reason, proven=unfit is None)
    return Examined(body, envelope, envelope.object, unfit=found.reason, detail=_detail(found), proven=found.holds)


def _not_before(envelope: Envelope) -> datetime:
    signed_at = sealing.signed_at(envelope.author.signature)
    assert signed_at is not None  # 5.13 has seen that it is of the future
    return signed_at - CLOCK_TOLERANCE


def _detail(found: object) -> str:
    return found.detail if isinstance(found, Quarantined) else ""


def _object_of(head: Placed) -> str:
    said = head.extra.get("object")
    return said if isinstance(said, str) and OBJECT.fullmatch(said) else ""
