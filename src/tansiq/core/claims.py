"""What a team says it answers for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Kind = Literal["cidr", "domain", "asn", "country"]
KINDS: tuple[Kind, ...] = ("cidr", "domain", "asn", "country")
"""The most specific first: the order in which they attribute (docs/explanation/attribution.md)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of constituency.

    Attributes:
        team: code of the team that claims.
        value: canonical text: "192.0.2.0/24", "gov.example" (A-labels, lower case), "64496", "MA".
        valid_from, valid_until: half-open, UTC; None is unbounded. Judged at the time of the event.
        verified: confirmed by the keeper of constituencies, or shipped; anything else has no effect at all.
        source: where the statement comes from.
        decision: the agreement or decision by which a claim inside another team's verified claim stands; empty
            means that such a claim is contested.
    """

    team: str
    kind: Kind
    value: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    verified: bool = True
    source: str = ""
    decision: str = ""


@dataclass(frozen=True, slots=True)
class TeamCard:
    """What ``whois`` says of a team besides its code: names by language, country, contacts.

    Contacts are as the operator sees them; pages show guests those that are marked ``public`` alone.
    """

    code: str
    names: dict[str, str]
    country: str
    contacts: tuple[dict[str, Any], ...] = ()
