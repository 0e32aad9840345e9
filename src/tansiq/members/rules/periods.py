"""What follows from the periods of membership: who is what on a day, who is of the community, where two contend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tansiq.core.decision import YES, Decision, no
from tansiq.core.viewer import Seat, Viewer
from tansiq.members.words import COMMUNITY


@dataclass(frozen=True, slots=True)
class StandingFacts:
    state: str
    since: date


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """One period, half-open; None is unbounded. ``standings`` in the order in which they were recorded."""

    team: str
    country: str
    category: str
    since: date | None = None
    until: date | None = None
    community_agreement: str = ""
    standings: tuple[StandingFacts, ...] = ()


def state_on(period: PeriodFacts, day: date) -> str:
    """The state that holds on ``day``: the latest begun, of two of one day the later recorded; active without any."""
    begun = [standing for standing in period.standings if standing.since <= day]
    return max(enumerate(begun), key=lambda pair: (pair[1].since, pair[0]))[1].state if begun else "active"


def in_force(period: PeriodFacts, day: date) -> bool:
    """Suspended, revoked or withdrawn counts as none."""
    begun = period.since is None or period.since <= day
    lasting = period.until is None or day < period.until
    return begun and lasting and state_on(period, day) == "active"


def in_community(periods: Iterable[PeriodFacts], day: date) -> bool:
    """Of those that TLP:GREEN names. A commercial member only by a recorded agreement; fellows and honorary are not."""
    return any(
        in_force(period, day)
        and (period.category in COMMUNITY or (period.category == "commercial" and bool(period.community_agreement)))
        for period in periods
    )


def full_member_conflicts(periods: Iterable[PeriodFacts], day: date) -> dict[str, tuple[str, ...]]:
    """States with more than one voting Full Member on ``day`` -> those teams. Not refused: the Board has to decide."""
    holders: dict[str, set[str]] = defaultdict(set)
    for period in periods:
        if period.category == "full" and period.country and in_force(period, day):
            holders[period.country].add(period.team)
    return {country: tuple(sorted(teams)) for country, teams in sorted(holders.items()) if len(teams) > 1}


def may_keep_register(*, by: Viewer) -> Decision:
    """Only the Secretariat keeps the register of members. Keys do not."""
    if by.sits(Seat.SECRETARIAT) and not by.key:
        return YES
    return no("members.register.not_secretariat")
