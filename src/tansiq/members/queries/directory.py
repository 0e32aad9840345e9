"""Reads of the directory. It is the node's own and shown to whoever works on the node."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tansiq.core.claims import Claim, TeamCard
from tansiq.core.text import Text
from tansiq.members import models, withheld
from tansiq.members.queries.periods import best_first, categories_by_team

CLAIM_COLUMNS = ("team__code", "kind", "value", "valid_from", "valid_until", "verified", "source", "decision")
"""In the order of the fields of ``core.claims.Claim``."""


@dataclass(frozen=True, slots=True)
class TeamEntry:
    """A line of the directory; ``claims`` counts those in force by kind, ``categories`` are in force or suspended."""

    card: TeamCard
    kind: str
    shipped: bool
    claims: dict[str, int]
    memberships: tuple[dict[str, object], ...]
    categories: tuple[str, ...]
    suspended: tuple[str, ...]


def claims() -> list[Claim]:
    """All that have or had effect: ended ones too, for events of their time; withdrawn ones never."""
    rows = models.Claim.objects.filter(withdrawn_at=None).order_by("pk").values_list(*CLAIM_COLUMNS)
    return [Claim(*row) for row in rows.iterator(chunk_size=10_000)]


def claims_version() -> int:
    """The number of the claim table; it rises with every change of claims, and of what ``whois`` says of a team."""
    return models.ClaimTable.objects.values_list("number", flat=True).first() or 0


def team_cards() -> list[TeamCard]:
    closed = withheld.teams()
    return [_card(team, closed) for team in models.Team.objects.order_by("code").prefetch_related("contacts")]


def team_names() -> dict[str, Text]:
    """Code -> names of every team, by code; one query."""
    return {team.code: Text.of(team.names) for team in models.Team.objects.order_by("code")}


def directory(*, now: datetime) -> list[TeamEntry]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    in_force = (Q(valid_from=None) | Q(valid_from__lte=now)) & (Q(valid_until=None) | Q(valid_until__gt=now))
    live = models.Claim.objects.filter(in_force, withdrawn_at=None).values_list("team__code", "kind")
    for code, kind in live.iterator(chunk_size=10_000):
        counts[code][kind] += 1
    categories, suspended = categories_by_team(day=now.date())
    closed = withheld.teams()
    teams = models.Team.objects.order_by("code").prefetch_related("contacts", "memberships")
    return [
        TeamEntry(
            card=_card(team, closed),
            kind=team.kind,
            shipped=team.shipped,
            claims=dict(counts[team.code]),
            memberships=tuple(membership.facts() for membership in team.memberships.all()),
            categories=best_first(categories[team.code]),
            suspended=best_first(suspended[team.code]),
        )
        for team in teams
    ]


def _card(team: models.Team, closed: Collection[str]) -> TeamCard:
    """``closed``: teams of which only what is public is shown."""
    contacts = tuple(one.facts() for one in team.contacts.all() if one.public or team.code not in closed)
    return TeamCard(code=team.code, names=team.names, country=team.country, contacts=contacts)
