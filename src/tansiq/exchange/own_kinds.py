"""The kinds that the exchange itself needs (section 15): recalls, and the bodies of a communication check."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tansiq.exchange import recall, values
from tansiq.exchange.body import Lane
from tansiq.exchange.fields import Fields
from tansiq.exchange.kinds import KNOWN, Kind, Kinds, Said, Writer
from tansiq.exchange.values import Unfit

CHECKS = {Lane.URGENT: "check.urgent", Lane.NORMAL: "check", Lane.BULK: "check.bulk"}
"""A kind has one lane; a check goes by each of them."""
UNCOMPARED = frozenset({recall.KIND, *CHECKS.values()})
"""Kinds that say something of a moment: they are neither compared nor given back (sections 11.1 and 13)."""
WAYS = ("jetstream", "mail", "file")


def _is_check(payload: Any) -> bool:
    """Which round of checks it belongs to, by which way it was sent, and when."""
    try:
        fields = Fields(payload, "check")
        fields.form("round", values.UUID7)
        fields.moment("sent_at")
        return fields.any("way") in WAYS
    except Unfit:
        return False


def _kept_as_it_is(_said: Said, _now: datetime) -> None:
    """A recall is heeded by the node, not by a desk; of a check its receipt is all that is wanted."""


def _nothing_to_delete(_object_id: str, _now: datetime) -> None:
    pass


def own() -> list[Kind]:
    checks = [_kind(name, lane, fits=_is_check) for lane, name in CHECKS.items()]
    return [_kind(recall.KIND, Lane.URGENT, fits=recall.fits), *checks]


def _kind(name: str, lane: Lane, *, fits: Any) -> Kind:
    return Kind(
        name=name,
        schema=1,
        lane=lane,
        fits=fits,
        apply=_kept_as_it_is,
        withdraw=_nothing_to_delete,
        writer=Writer.NODE,
        self_contained=True,
    )


def register(kinds: Kinds = KNOWN) -> None:
    """Once for each set of kinds, when the program starts."""
    for kind in own():
        if kinds.get(kind.name) is None:
            kinds.register(kind)
