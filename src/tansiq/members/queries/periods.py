"""Who is a member of which category on a day. The register of members is public."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tansiq.core.viewer import Viewer
from tansiq.members import rules
from tansiq.members.models import CountryStatement, MembershipPeriod, Standing
from tansiq.members.words import PERIOD_CATEGORIES


@dataclass(frozen=True, slots=True)
class StandingEntry:
    state: str
    since: date
    decision: str


@dataclass(frozen=True, slots=True)
class PeriodEntry:
    """A period as a page shows it; ``statements``: what sources say that it rests on."""

    id: int
    category: str
    since: date | None
    since_precision: str
    until: date | None
    decision: str
    source: str
    community_agreement: str
    state: str
    in_force: bool
    standings: tuple[StandingEntry, ...]
    statements: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class CountryStatus:
    """A state's standing, derived from its organisations: categories in force, best first, with their teams."""

    country: str
    categories: tuple[str, ...]
    teams: tuple[str, ...]
    full_members: tuple[str, ...]

    @property
    def contested(self) -> bool:
        """More than one voting Full Member: the Board has to decide."""
        return len(self.full_members) > 1


def facts(periods: Iterable[MembershipPeriod]) -> list[rules.PeriodFacts]:
    """Of periods whose team and standings are fetched."""
    return [
        rules.PeriodFacts(
            team=period.team.code,
            country=period.team.country,
            category=period.category,
            since=period.since,
            until=period.until,
            community_agreement=period.community_agreement,
            standings=tuple(rules.StandingFacts(s.state, s.since) for s in period.standings.all()),
        )
        for period in periods
    ]


def all_facts(*, team: str = "") -> list[rules.PeriodFacts]:
    """Of all teams, or one. Two queries, whatever the number of members."""
    standings: dict[int, list[rules.StandingFacts]] = defaultdict(list)
    told = Standing.objects.filter(period__team__code=team) if team else Standing.objects.all()
    for period, state, since in told.order_by("since", "pk").values_list("period", "state", "since"):
        standings[period].append(rules.StandingFacts(state, since))
    rows = MembershipPeriod.objects.filter(team__code=team) if team else MembershipPeriod.objects.all()
    columns = ("team__code", "team__country", "category", "since", "until", "community_agreement", "pk")
    return [
        rules.PeriodFacts(*said, standings=tuple(standings.get(key, ())))
        for *said, key in rows.order_by("pk").values_list(*columns)
    ]


def categories_by_team(*, day: date, team: str = "") -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Team -> its categories in force on ``day``; and those that are suspended then. Of all teams, or one."""
    in_force: dict[str, set[str]] = defaultdict(set)
    suspended: dict[str, set[str]] = defaultdict(set)
    for period in all_facts(team=team):
        if rules.in_force(period, day):
            in_force[period.team].add(period.category)
        elif rules.state_on(period, day) == "suspended":
            suspended[period.team].add(period.category)
    return in_force, suspended


def best_first(categories: Iterable[str]) -> tuple[str, ...]:
    """In the order of ``PERIOD_CATEGORIES``."""
    found = set(categories)
    return tuple(category for category in PERIOD_CATEGORIES if category in found)


def memberships_of(team: str, *, day: date) -> tuple[frozenset[str], bool]:
    """The categories of ``team`` in force on ``day``, and whether it is of the community."""
    rows = MembershipPeriod.objects.filter(team__code=team).select_related("team").prefetch_related("standings")
    held = facts(rows)
    return (
        frozenset(period.category for period in held if rules.in_force(period, day)),
        rules.in_community(held, day),
    )


def full_members(country: str, *, day: date) -> tuple[str, ...]:
    """Codes of the teams that are voting Full Members of a state on ``day``: one, unless the Board has to decide."""
    rows = MembershipPeriod.objects.filter(category="full", team__country=country)
    held = facts(rows.select_related("team").prefetch_related("standings"))
    return tuple(sorted({period.team for period in held if rules.in_force(period, day)}))


def full_member_conflicts(viewer: Viewer, *, day: date) -> dict[str, tuple[str, ...]]:
    """State -> its contending Full Members. Public, as the register is; ``viewer`` is named as everywhere."""
    return rules.full_member_conflicts(all_facts(), day)


def country_statuses(viewer: Viewer, *, day: date) -> dict[str, CountryStatus]:
    """Status of every state that has any member, derived: "Full, General"."""
    held: dict[str, list[rules.PeriodFacts]] = {}
    for period in all_facts():
        if period.country and rules.in_force(period, day):
            held.setdefault(period.country, []).append(period)
    return {country: _status(country, periods) for country, periods in sorted(held.items())}


def _status(country: str, periods: list[rules.PeriodFacts]) -> CountryStatus:
    return CountryStatus(
        country=country,
        categories=tuple(c for c in PERIOD_CATEGORIES if any(period.category == c for period in periods)),
        teams=tuple(sorted({period.team for period in periods})),
        full_members=tuple(sorted({period.team for period in periods if period.category == "full"})),
    )


def country_statements(viewer: Viewer) -> list[dict[str, str]]:
    """What sources say of countries without naming the organisation."""
    return list(CountryStatement.objects.values("country", "category", "source", "note"))


def entries(periods: Iterable[MembershipPeriod], *, day: date) -> list[PeriodEntry]:
    """Of periods whose team, standings and statements are fetched."""
    periods = list(periods)
    return [
        PeriodEntry(
            id=period.pk,
            category=period.category,
            since=period.since,
            since_precision=period.since_precision,
            until=period.until,
            decision=period.decision,
            source=period.source,
            community_agreement=period.community_agreement,
            state=rules.state_on(fact, day),
            in_force=rules.in_force(fact, day),
            standings=tuple(StandingEntry(s.state, s.since, s.decision) for s in period.standings.all()),
            statements=tuple(statement.facts() for statement in period.rests_on.all()),
        )
        for period, fact in zip(periods, facts(periods), strict=True)
    ]


def periods_of(viewer: Viewer, team: str, *, day: date) -> list[PeriodEntry]:
    """All of a team's periods, past and present, in the order of the categories."""
    rows = MembershipPeriod.objects.filter(team__code=team).select_related("team")
    found = entries(rows.prefetch_related("standings", "rests_on").order_by("since", "pk"), day=day)
    return sorted(found, key=lambda entry: PERIOD_CATEGORIES.index(entry.category))
