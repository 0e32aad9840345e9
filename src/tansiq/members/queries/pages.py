"""What the pages of the directory show: one call a page, a fixed number of database queries whatever the rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from tansiq.audit.actions import record_read
from tansiq.core.search import folded
from tansiq.core.text import Text
from tansiq.core.viewer import Seat, Viewer
from tansiq.members import rules
from tansiq.members.models import Country, Membership, PublishedProfile, Team
from tansiq.members.queries.certificates import CertificateEntry, certificates_of
from tansiq.members.queries.claims import ClaimEntry, OverlapEntry, claims_of, overlaps_of
from tansiq.members.queries.contacts import ContactEntry, flags, shown_contacts
from tansiq.members.queries.countries import country_names, other_country
from tansiq.members.queries.people import Member, OnDuty, duty_roster, on_duty, team_people
from tansiq.members.queries.periods import (
    PeriodEntry,
    all_facts,
    best_first,
    categories_by_team,
    country_statements,
    periods_of,
)
from tansiq.members.words import PERIOD_CATEGORIES


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """A line of the directory.

    Attributes:
        categories: in force, best first; ``suspended``: those that are suspended at this moment.
        board: some source puts the team on the Board.
        profile: number of the published RFC 2350 profile; 0 without one.
    """

    code: str
    names: Text
    country: str
    country_name: Text
    kind: str
    categories: tuple[str, ...]
    suspended: tuple[str, ...]
    board: bool
    profile: int


@dataclass(frozen=True, slots=True)
class MapEntry:
    """A country on the map and in the table that says the same. ``state``: one of the federation's 57."""

    country: str
    alpha3: str
    name: Text
    state: bool
    categories: tuple[str, ...]
    teams: tuple[DirectoryEntry, ...]
    statements: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class TeamPage:
    """Everything of a team that one viewer may see. What they may not see is empty.

    Attributes:
        statements: what sources say of the team's membership, contradictions side by side.
        contacts: all for those of teams and seats, public ones for others.
        overlaps, flags, people, roster: for the team's own people and the Secretariat (roster: own people).
        may_keep_contacts …: whether to show the buttons; the actions decide again.
    """

    entry: DirectoryEntry
    source: str
    shipped: bool
    periods: tuple[PeriodEntry, ...]
    statements: tuple[dict[str, object], ...]
    contenders: tuple[str, ...]
    claims: tuple[ClaimEntry, ...]
    overlaps: tuple[OverlapEntry, ...]
    contacts: tuple[ContactEntry, ...]
    certificates: tuple[CertificateEntry, ...]
    flags: tuple[str, ...]
    people: tuple[Member, ...]
    on_duty: tuple[OnDuty, ...]
    roster: tuple[OnDuty, ...]
    may_keep_contacts: bool
    may_keep_claims: bool
    may_judge_claims: bool
    may_keep_register: bool


def directory_entries(
    viewer: Viewer, *, now: datetime, search: str = "", category: str = "", country: str = ""
) -> list[DirectoryEntry]:
    """The directory, by country and code: all teams, or those that the wishes leave. Public; six queries.

    Args:
        search: words found in the code, the names or the country, as ``core.search`` compares.
        category: one in force; "none" for teams that are no members.
        country: ISO 3166-1 alpha-2.
    """
    names = country_names()
    wanted = folded(search).split()
    found = []
    for entry in _entries(names, now):
        if country and entry.country != country:
            continue
        if category and (entry.categories if category == "none" else category not in entry.categories):
            continue
        if wanted and not _found(wanted, entry):
            continue
        found.append(entry)
    return found


def map_entries(viewer: Viewer, *, now: datetime) -> list[MapEntry]:
    """Every state of the federation, and every other country that a team is of, by code. Public; eight queries."""
    names = country_names()
    alpha3 = dict(Country.objects.values_list("alpha2", "alpha3"))
    teams: dict[str, list[DirectoryEntry]] = defaultdict(list)
    for entry in _entries(names, now):
        if entry.country:
            teams[entry.country].append(entry)
    said: dict[str, list[dict[str, str]]] = defaultdict(list)
    for statement in country_statements(viewer):
        said[statement["country"]].append(statement)
    return [
        MapEntry(
            country=code,
            alpha3=alpha3.get(code, ""),
            name=names.get(code) or other_country(code),
            state=code in names,
            categories=tuple(c for c in PERIOD_CATEGORIES if any(c in entry.categories for entry in teams[code])),
            teams=tuple(teams[code]),
            statements=tuple(said[code]),
        )
        for code in sorted(names.keys() | teams.keys() | said.keys())
    ]


def team_page(viewer: Viewer, code: str, *, now: datetime) -> TeamPage | None:
    """One team, or None. That somebody read another team's contacts is recorded, once an hour a reader."""
    entry = next((found for found in _entries(country_names(), now, code=code) if found.code == code), None)
    if entry is None:
        return None
    team = Team.objects.get(code=code)
    contacts = shown_contacts(viewer, [code])[code]
    if viewer.team != code and not viewer.reason and any(not contact.public for contact in contacts):
        record_read(("contacts", code), by=viewer, now=now)
    return TeamPage(
        entry=entry,
        source=team.source,
        shipped=team.shipped,
        periods=tuple(periods_of(viewer, code, day=now.date())),
        statements=tuple(row.facts() for row in Membership.objects.filter(team=team).order_by("pk")),
        contenders=_contenders(entry, now),
        claims=tuple(claims_of(viewer, code, now=now)),
        overlaps=tuple(overlaps_of(viewer, code, now=now)),
        contacts=tuple(contacts),
        certificates=tuple(certificates_of(viewer, code, now=now)),
        flags=flags(viewer, code, now=now),
        people=tuple(team_people(viewer, code, now=now)),
        on_duty=tuple(on_duty(viewer, code, now=now)),
        roster=tuple(duty_roster(viewer, code, now=now)),
        may_keep_contacts=bool(rules.may_keep_contacts(team=code, by=viewer)),
        may_keep_claims=bool(rules.may_propose_claim(team=code, by=viewer)),
        may_judge_claims=viewer.sits(Seat.SECRETARIAT),
        may_keep_register=bool(rules.may_keep_register(by=viewer)),
    )


def _contenders(entry: DirectoryEntry, now: datetime) -> tuple[str, ...]:
    """Other voting Full Members of the same state."""
    if "full" not in entry.categories:
        return ()
    contending = rules.full_member_conflicts(all_facts(), now.date()).get(entry.country, ())
    return tuple(code for code in contending if code != entry.code)


def _entries(names: dict[str, Text], now: datetime, *, code: str = "") -> Iterable[DirectoryEntry]:
    in_force, suspended = categories_by_team(day=now.date(), team=code)
    teams = Team.objects.filter(code=code) if code else Team.objects.all()
    boards = set(Membership.objects.filter(board=True, team__in=teams).values_list("team__code", flat=True))
    published = PublishedProfile.objects.filter(team__in=teams).values_list("team__code")
    profiles = dict(published.annotate(last=Max("number")).order_by())
    columns = ("code", "name_ar", "name_en", "name_fr", "country", "kind")
    for team, ar, en, fr, country, kind in teams.order_by("country", "code").values_list(*columns):
        yield DirectoryEntry(
            code=team,
            names=Text(ar, en, fr),
            country=country,
            country_name=(names.get(country) or other_country(country)) if country else Text(),
            kind=kind,
            categories=best_first(in_force[team]),
            suspended=best_first(suspended[team]),
            board=team in boards,
            profile=profiles.get(team, 0),
        )


def _found(wanted: list[str], entry: DirectoryEntry) -> bool:
    texts = (
        entry.code, entry.country, entry.names.ar, entry.names.en, entry.names.fr,
        entry.country_name.ar, entry.country_name.en, entry.country_name.fr,
    )  # fmt: skip
    within = " ".join(map(folded, texts))
    return all(word in within for word in wanted)
