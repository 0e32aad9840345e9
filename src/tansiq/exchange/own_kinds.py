"""The kinds that the exchange itself needs (section 15): recalls, communication checks, and people's answers."""

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
SEEN = "check.seen"
"""A person has seen a check: written by their team, with their code as the author's person."""
UNCOMPARED = frozenset({recall.KIND, *CHECKS.values(), SEEN})
"""Kinds that say something of a moment: they are neither compared nor given back (sections 11.1 and 13)."""
WAYS = ("jetstream", "mail")
"""That a check can prove. Files are carried by people, who know what they carried."""


def _is_check(payload: Any) -> bool:
    """Which round of checks it belongs to, by which way it was sent, and when; whether people are to answer."""
    try:
        fields = Fields(payload, "check")
        fields.form("round", values.UUID7)
        fields.moment("sent_at")
        return fields.text("way") in WAYS and type(fields.left().get("people", False)) is bool
    except Unfit:
        return False


def _is_seen(payload: Any) -> bool:
    """Which round was seen, and when by the clock there."""
    try:
        fields = Fields(payload, "seen")
        fields.form("round", values.UUID7)
        fields.moment("seen_at")
    except Unfit:
        return False
    return True


def _kept_as_it_is(_said: Said, _now: datetime) -> None:
    """A recall is heeded by the node, not by a desk."""


def _nothing_to_delete(_object_id: str, _now: datetime) -> None:
    pass


def _tell_people(said: Said, now: datetime) -> None:
    from tansiq.exchange.node import checking  # has tables, which who only reads kinds does without

    checking.heard(said, now)


def _note_seen(said: Said, now: datetime) -> None:
    from tansiq.exchange.node import checking

    checking.seen(said, now)


def own() -> list[Kind]:
    """The kinds that are no desk's: recalls and checks (section 15)."""
    checks = [_kind(name, lane, fits=_is_check, apply=_tell_people) for lane, name in CHECKS.items()]
    seen = _kind(SEEN, Lane.URGENT, fits=_is_seen, apply=_note_seen, writer=Writer.OWNER)
    return [_kind(recall.KIND, Lane.URGENT, fits=recall.fits), *checks, seen]


def _kind(name: str, lane: Lane, *, fits: Any, apply: Any = _kept_as_it_is, writer: Writer = Writer.NODE) -> Kind:
    return Kind(
        name=name,
        schema=1,
        lane=lane,
        fits=fits,
        apply=apply,
        withdraw=_nothing_to_delete,
        writer=writer,
        self_contained=True,
    )


def register(kinds: Kinds = KNOWN) -> None:
    """Once for each set of kinds, when the program starts."""
    for kind in own():
        if kinds.get(kind.name) is None:
            kinds.register(kind)
