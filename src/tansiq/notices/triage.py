"""Events that stopped at a tie or at a contested claim: who is involved, read back from the reason stored with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

TIE = re.compile(r"^tie (?P<kind>\w+) (?P<value>\S+): (?P<teams>\S+(?: \S+)+)$")
CONTESTED = re.compile(r"^contested (?P<kind>\w+) (?P<value>\S+): (?P<inner>\S+) inside (?P<outer>\S+(?: \S+)*)$")


@dataclass(frozen=True, slots=True)
class Dispute:
    """One claim on which teams do not agree, and what it held up.

    Attributes:
        reason: as stored in the event, e.g. ``contested cidr 192.0.2.0/24: XF-CERT inside XA-CERT``.
        way: ``tie`` or ``contested``.
        value: what is claimed, as a reader writes it: ``192.0.2.0/24``, ``gov.example``, ``AS64496``, ``XA``.
        teams: the teams involved; of a contested claim the one inside comes first.
    """

    reason: str
    way: str
    value: str
    teams: tuple[str, ...]
    events: int
    sightings: int


def read(reason: str, *, events: int = 0, sightings: int = 0) -> Dispute:
    """The dispute that ``reason`` tells of; an unknown form names no team and stays with the operator."""
    if found := TIE.match(reason):
        return Dispute(reason, "tie", found["value"], tuple(found["teams"].split()), events, sightings)
    if found := CONTESTED.match(reason):
        teams = (found["inner"], *found["outer"].split())
        return Dispute(reason, "contested", found["value"], teams, events, sightings)
    return Dispute(reason, reason.split(" ", 1)[0], "", (), events, sightings)


def disputes(counted: pl.DataFrame) -> tuple[Dispute, ...]:
    """One dispute for each ``reason`` counted (columns reason, events, sightings), the most events first.

    Reasons are as many as the claims concerned, not as the events: reading them one by one is cheap.
    """
    rows = counted.sort("events", "reason", descending=[True, False]).iter_rows(named=True)
    return tuple(read(row["reason"] or "", events=row["events"], sightings=row["sightings"]) for row in rows)


def involving(team: str, among: tuple[Dispute, ...]) -> tuple[Dispute, ...]:
    return tuple(dispute for dispute in among if team in dispute.teams)
