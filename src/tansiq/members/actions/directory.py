"""Verbs that change the directory: each one transaction, in which the claim table's number rises if anything moved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.db import OperationalError, transaction

from tansiq.audit.actions import record
from tansiq.core import claims as core
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.members import claiming, queries, rules
from tansiq.members.actions import numbering
from tansiq.members.actions.stating import state_register
from tansiq.members.changes import changed
from tansiq.members.models import (
    ClaimTable,
    Contact,
    Country,
    CountryStatement,
    Membership,
    MembershipPeriod,
    Person,
    Team,
)
from tansiq.members.shipped import Directory, shipped_directory
from tansiq.members.statement import StatedTeam, Statement

OPERATOR = Viewer(person="operator")


@dataclass(slots=True)
class Counts:
    """What became of a statement; ``moved`` names the teams of which anything changed."""

    teams: dict[str, int] = field(default_factory=dict)
    claims: dict[str, int] = field(default_factory=dict)
    claims_new: int = 0
    claims_changed: int = 0
    claims_ended: int = 0
    superseded: list[core.Claim] = field(default_factory=list)
    of_roster: list[core.Claim] = field(default_factory=list)  # ended though a federation's roster has verified them
    contacts: int = 0
    claims_version: int = 0
    stated: int = 0  # teams of the file
    new: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)
    registered: set[str] = field(default_factory=set)  # teams of which periods, people, profile or certificates changed


@dataclass(frozen=True, slots=True)
class LocatedOverlap:
    """An overlap, and the line of the file that brought it about."""

    row: int | None
    overlap: rules.Overlap


@dataclass(frozen=True, slots=True)
class Imported:
    counts: Counts
    overlaps: list[LocatedOverlap]


class NotStored(TansiqError):
    code = "members.directory.not_stored"
    message = N_("The directory could not be written: {reason}.")
    remedy = N_("Nothing was changed. Make room, or wait until the other command is done, and run the same again.")
    exit_code = 4
    transient = True


def import_statement(statement: Statement, *, now: datetime, dry_run: bool = False, by: Viewer = OPERATOR) -> Imported:
    """Make the directory say of the teams in ``statement`` what it says, and nothing else.

    A value that the statement lists is claimed as the statement says, past included. A claim of these teams that it
    no longer lists ends at ``now``; one that a roster has verified only where it names claims of the team. Shipped
    country claims of other teams give way to the operator's. Other teams stay as they are. The same statement again
    changes nothing. With ``dry_run`` the same result, and no change.

    Raises: NotAllowed; BadStatement: what only the register can know is wrong; NotStored, when the database cannot be
        written (full, read-only, kept busy). Then nothing is changed.
    """
    rules.may_import(by=by, people=any(team.people is not None for team in statement.teams)).require()
    try:
        return _import(statement, now=now, dry_run=dry_run, by=by)
    except OperationalError as error:
        raise NotStored(reason=str(error).strip().rstrip(".")) from error


@transaction.atomic
def _import(statement: Statement, *, now: datetime, dry_run: bool, by: Viewer) -> Imported:
    table = numbering.locked()
    counts = _state(statement.teams, now=now, shipped=False)
    teams = Team.objects.in_bulk([team.code for team in statement.teams], field_name="code")
    counts.registered |= state_register(statement, teams, by=by, now=now)
    if any(contact.get("person") for team in statement.teams for contact in team.contacts):
        _state_contacts(statement.teams, teams, counts)  # again: now the people are here whom contacts name
    _recount(counts)
    counts.superseded = claiming.supersede(statement.teams, now=now)
    _count_up(table, counts)
    overlaps = located_overlaps(statement)
    table_number = ("claim-table", counts.claims_version)
    record("directory.imported", table_number, by=by, now=now, teams=len(statement.teams))
    changed(*teams, now=now)
    transaction.set_rollback(dry_run)
    return Imported(counts, overlaps)


@transaction.atomic
def ship_directory(*, now: datetime | None = None) -> Counts:
    """Bring the directory that comes with the program up to its present state; the operator's own statements win.

    Teams that the operator has described, and countries that the operator has given to a team, are left alone.
    """
    directory = shipped_directory()
    table = numbering.locked()
    described = set(Team.objects.filter(shipped=False).values_list("code", flat=True))
    given = claiming.countries_given_by_operator()
    stated = [_without(team, given) for team in directory.teams if team.code not in described]
    counts = _state(stated, now=now or datetime.now(UTC), shipped=True)
    _state_countries(directory)
    _state_memberships(directory)
    _state_of_countries(directory)
    _state_periods(directory, now=now or datetime.now(UTC))
    _count_up(table, counts)
    return counts


def located_overlaps(statement: Statement) -> list[LocatedOverlap]:
    """The overlaps that claims of ``statement`` have part in, each at the line of such a claim."""
    places = {claim: place for team in statement.teams for claim, place in zip(team.claims, team.places, strict=True)}
    found = []
    for overlap in rules.overlaps(queries.claims()):
        place = next((places[claim] for claim in (overlap.claim, *overlap.others) if claim in places), None)
        if place is not None:
            found.append(LocatedOverlap(statement.row(place), overlap))
    return sorted(found, key=lambda located: located.row or 0)


def _without(team: StatedTeam, given: set[str]) -> StatedTeam:
    kept = [claim for claim in team.claims if not (claim.kind == "country" and claim.value in given)]
    return replace(team, claims=kept)


def _count_up(table: ClaimTable, counts: Counts) -> None:
    if counts.moved or counts.superseded:
        numbering.count_up(table)
    counts.claims_version = table.number


def _state(stated: Sequence[StatedTeam], *, now: datetime, shipped: bool) -> Counts:
    counts = Counts(claims=dict.fromkeys(core.KINDS, 0), contacts=sum(len(team.contacts) for team in stated))
    for team in stated:
        for claim in team.claims:
            counts.claims[claim.kind] += 1
    teams, new = _state_teams(stated, counts, shipped=shipped)
    change = claiming.state(stated, teams, now=now, shipped=shipped)
    counts.claims_new, counts.claims_changed, counts.claims_ended = change.new, change.changed, change.ended
    counts.of_roster = change.of_roster
    counts.moved |= change.teams
    _state_contacts(stated, teams, counts)
    counts.new = new
    counts.stated = len(stated)
    _recount(counts)
    return counts


def state_teams(stated: Sequence[StatedTeam]) -> dict[str, Team]:
    """Names, countries and kinds as another node's teams state them. Part of a transaction that counts the table up."""
    return _state_teams(stated, Counts(), shipped=False)[0]


def state_contacts(stated: Sequence[StatedTeam], teams: dict[str, Team]) -> None:
    """The same of contacts. They name no persons: those are known at home only."""
    _state_contacts(stated, teams, Counts())


def _recount(counts: Counts) -> None:
    new, changed = len(counts.new), len((counts.moved | counts.registered) - counts.new)
    counts.teams = {"new": new, "changed": changed, "unchanged": counts.stated - new - changed}


def _state_teams(stated: Sequence[StatedTeam], counts: Counts, *, shipped: bool) -> tuple[dict[str, Team], set[str]]:
    """All stated teams by code, and the codes of the new ones."""
    codes = [team.code for team in stated]
    known = Team.objects.in_bulk(codes, field_name="code")
    new, changed = [], []
    for said in stated:
        facts = {f"name_{language}": said.names.get(language, "") for language in ("ar", "en", "fr")}
        facts |= {"country": said.country, "kind": said.kind, "source": said.source}
        team = known.get(said.code)
        if team is None:
            new.append(Team(code=said.code, shipped=shipped, **facts))
        elif team.shipped != shipped or any(getattr(team, name) != value for name, value in facts.items()):
            changed.append(Team(pk=team.pk, code=said.code, shipped=shipped, **facts))
    Team.objects.bulk_create(new)
    Team.objects.bulk_update(changed, ["name_ar", "name_en", "name_fr", "country", "kind", "source", "shipped"])
    counts.moved |= {team.code for team in (*new, *changed)}
    return Team.objects.in_bulk(codes, field_name="code"), {team.code for team in new}


def _state_contacts(stated: Sequence[StatedTeam], teams: dict[str, Team], counts: Counts) -> None:
    """Contacts as stated, in their order. One that was confirmed stays so unless the statement says otherwise."""
    known: dict[int, list[Contact]] = defaultdict(list)
    ids = [team.pk for team in teams.values()]
    for contact in Contact.objects.filter(team__in=ids).select_related("person").order_by("team", "position"):
        known[contact.team_id].append(contact)
    codes = {code for team in stated for said in team.contacts if (code := said.get("person"))}
    people = {person.code: person for person in Person.objects.filter(code__in=codes)}
    wanted = {
        team.code: [_contact(said, place, teams[team.code], people, known) for place, said in enumerate(team.contacts)]
        for team in stated
    }
    moved = {code for code, rows in wanted.items() if _facts(rows) != _facts(known[teams[code].pk])}
    rewritten = {code for code, rows in wanted.items() if _rows(rows) != _rows(known[teams[code].pk])}
    Contact.objects.filter(team__in=[teams[code].pk for code in rewritten]).delete()
    Contact.objects.bulk_create(contact for code in sorted(rewritten) for contact in wanted[code])
    counts.moved |= moved
    counts.registered |= rewritten - moved


def _contact(
    said: dict[str, Any], position: int, team: Team, people: dict[str, Person], known: dict[int, list[Contact]]
) -> Contact:
    stated = {key: value for key, value in said.items() if key not in ("person", "confirmed_at")}
    contact = Contact(team=team, position=position, person=people.get(said.get("person", "")), **stated)
    same = [row for row in known[team.pk] if (row.kind, row.value) == (contact.kind, contact.value)]
    contact.confirmed_at = said.get("confirmed_at") or (same[0].confirmed_at if same else None)
    contact.confirmed_by = same[0].confirmed_by if same and same[0].confirmed_at == contact.confirmed_at else ""
    return contact


def _facts(contacts: Sequence[Contact]) -> list[dict[str, Any]]:
    """What ``whois`` shows: with these the number of the claim table rises."""
    return [contact.facts() for contact in contacts]


def _rows(contacts: Sequence[Contact]) -> list[dict[str, Any]]:
    return [contact.facts() | {"person": contact.person_id, "at": contact.confirmed_at} for contact in contacts]


def _state_countries(directory: Directory) -> None:
    Country.objects.bulk_create(
        [
            Country(
                alpha2=said.alpha2,
                alpha3=said.alpha3,
                name_ar=said.name.ar,
                name_en=said.name.en,
                name_fr=said.name.fr,
                source=said.source,
                note=said.note,
            )
            for said in directory.countries
        ],
        update_conflicts=True,
        unique_fields=["alpha2"],
        update_fields=["alpha3", "name_ar", "name_en", "name_fr", "source", "note"],
    )


def _state_memberships(directory: Directory) -> None:
    """The public record's statements, for every team that is here. Rows that stand stay: periods rest on them."""
    teams = Team.objects.in_bulk([team.code for team in directory.teams], field_name="code")
    stated = {(said.team, said.category, said.board, said.source, said.note) for said in directory.memberships}
    rows = Membership.objects.filter(team__in=[team.pk for team in teams.values()]).select_related("team")
    present = {(row.team.code, row.category, row.board, row.source, row.note): row.pk for row in rows}
    Membership.objects.filter(pk__in=[present[said] for said in present.keys() - stated]).delete()
    Membership.objects.bulk_create(
        Membership(team=teams[team], category=category, board=board, source=source, note=note)
        for team, category, board, source, note in sorted(stated - present.keys())
    )


def _state_of_countries(directory: Directory) -> None:
    CountryStatement.objects.all().delete()
    CountryStatement.objects.bulk_create(
        CountryStatement(country=said.country, category=said.category, source=said.source, note=said.note)
        for said in directory.of_countries
    )


def _state_periods(directory: Directory, *, now: datetime) -> None:
    """Periods as the statements give them, for teams of which the register itself says nothing yet."""
    teams = Team.objects.in_bulk([team.code for team in directory.teams], field_name="code")
    kept = set(MembershipPeriod.objects.filter(shipped=False).values_list("team__code", flat=True))
    for said in directory.periods():
        if said.team in kept:
            continue
        period, _new = MembershipPeriod.objects.update_or_create(
            team=teams[said.team],
            shipped=True,
            defaults={"category": said.category, "since": said.since, "since_precision": said.since_precision},
            create_defaults={
                "category": said.category,
                "since": said.since,
                "since_precision": said.since_precision,
                "recorded_by": "shipped",
                "recorded_at": now,
            },
        )
        period.rests_on.set(Membership.objects.filter(team=period.team, category=said.category))
