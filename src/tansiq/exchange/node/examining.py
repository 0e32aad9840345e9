"""The checks 5.11 to 5.19 of one body, and what they make of it. No database: made before a transaction begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tansiq.exchange import reading, trust
from tansiq.exchange.body import Envelope, Placed
from tansiq.exchange.facts import Judge
from tansiq.exchange.node.here import Here
from tansiq.exchange.reasons import Reason
from tansiq.exchange.trust import Authentic, Parked, Quarantined, Refused
from tansiq.exchange.values import OBJECT, Unfit


@dataclass(frozen=True, slots=True)
class Examined:
    """What is so of an envelope under the roster here.

    Attributes:
        envelope: None where it is malformed (5.11).
        object: its id; of a malformed one whatever can be read of it, or empty.
        proven: it passed 5.17: its author's team speaks for the object.
        early: its signature is of a later moment than the clock here may be wrong by (5.13).
    """

    body: Authentic
    envelope: Envelope | None
    object: str
    unfit: Reason | None = None
    refused: Reason | None = None
    detail: str = ""
    proven: bool = False
    early: bool = False


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
        early = found.reason is Reason.CLOCK
        return Examined(body, envelope, envelope.object, proven=not early, early=early)
    if isinstance(found, Refused):
        proven = judge.may_write(envelope)
        return Examined(body, envelope, envelope.object, refused=found.reason, proven=proven)
    return Examined(body, envelope, envelope.object, unfit=found.reason, detail=_detail(found), proven=found.holds)


def _detail(found: object) -> str:
    return found.detail if isinstance(found, Quarantined) else ""


def _object_of(head: Placed) -> str:
    said = head.extra.get("object")
    return said if isinstance(said, str) and OBJECT.fullmatch(said) else ""
