"""What a file says of periods, people, profile and certificates, made so. Each part is its team's full statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from tansiq.audit.actions import record
from tansiq.core.errors import TansiqError
from tansiq.core.viewer import Role, Viewer
from tansiq.members.actions.appointments import grant
from tansiq.members.actions.certificates import upload_certificate, withdraw_certificate
from tansiq.members.actions.people import LeftAlready, create_person
from tansiq.members.in_force import current
from tansiq.members.mistakes import BadStatement, Mistake
from tansiq.members.models import (
    Appointment,
    Membership,
    MembershipPeriod,
    Person,
    ProfileSection,
    Standing,
    Team,
    TeamCertificate,
)
from tansiq.members.queries.stated import as_written, period_stated, stated_people, stated_profile
from tansiq.members.register_statement import DoublePerson, StatedPerson
from tansiq.members.statement import StatedTeam, Statement

GRANTED_BY = "import"


def state_register(statement: Statement, teams: Mapping[str, Team], *, by: Viewer, now: datetime) -> set[str]:
    """Codes of the teams of which anything here changed.

    Raises: BadStatement: a person clashes with one who is here, or a certificate is none; the caller rolls back.
    """
    _refuse_clashes(statement)
    return {
        said.code
        for said in statement.teams
        for parts in [[_periods(said, teams, by, now), _people(said, teams, now), _profile(said, teams, now),
                       _certificates(statement, said, teams, by, now)]]
        if any(parts)
    }  # fmt: skip


def _refuse_clashes(statement: Statement) -> None:
    """A code that has another address here, an address that has another code, somebody who has left."""
    stated = [
        (person, (*team.place, "people", index), team.code)
        for team in statement.teams
        for index, person in enumerate(team.people or ())
    ]
    codes, emails = {said.code for said, _at, _team in stated}, {said.email for said, _at, _team in stated}
    known = list(Person.objects.filter(Q(code__in=codes) | Q(email__in=emails)))
    by_code, by_email = {row.code: row for row in known}, {row.email: row for row in known}
    seen: dict[str, str] = {}
    found = []
    for person, place, team in stated:
        here = by_code.get(person.code)
        taken = by_email.get(person.email, here) is not here
        clash = taken or seen.setdefault(person.email, person.code) != person.code
        error: TansiqError | None = DoublePerson(value=person.code) if clash else None
        if here and not here.is_active:
            error = LeftAlready(person=person.code)
        if error:
            found.append(Mistake(statement.row(place), team, "people", error))
    if found:
        raise BadStatement(found)


def _periods(said: StatedTeam, teams: Mapping[str, Team], by: Viewer, now: datetime) -> bool:
    if said.periods is None:
        return False
    team = teams[said.code]
    rows = list(MembershipPeriod.objects.filter(team=team).prefetch_related("standings").order_by("pk"))
    if sorted(map(repr, map(period_stated, rows))) == sorted(map(repr, said.periods)):
        return False
    MembershipPeriod.objects.filter(team=team).delete()
    for stated in said.periods:
        period = MembershipPeriod.objects.create(
            team=team, category=stated.category, since=stated.since, since_precision=stated.since_precision,
            until=stated.until, decision=stated.decision, source=stated.source,
            community_agreement=stated.community_agreement, recorded_by=by.name, recorded_at=now,
        )  # fmt: skip
        period.rests_on.set(Membership.objects.filter(team=team, category=stated.category))
        Standing.objects.bulk_create(
            Standing(period=period, state=s.state, since=s.since, decision=s.decision, recorded_by=by.name,
                     recorded_at=now)
            for s in stated.standings
        )  # fmt: skip
    record("membership.imported", team, by=by, now=now, count=len(said.periods))
    return True


def _people(said: StatedTeam, teams: Mapping[str, Team], now: datetime) -> bool:
    if said.people is None:
        return False
    team = teams[said.code]
    if stated_people(team.code, now=now) == sorted(said.people, key=lambda person: person.code):
        return False
    kept = {(person.code, role) for person in said.people for role in person.roles}
    for held in Appointment.objects.filter(current(now), team=team).select_related("person"):
        if (held.person.code, held.role) not in kept:
            Appointment.objects.filter(pk=held.pk).update(until=now)
    for stated in said.people:
        person = _person(stated)
        for role in stated.roles:
            grant(person, Role(role), team=team, granted_by=GRANTED_BY, decision="", now=now)
    return True


def _person(stated: StatedPerson) -> Person:
    person = Person.objects.filter(code=stated.code).first()
    if person is None:
        return create_person(stated.email, name=stated.name, language=stated.language, code=stated.code)
    person.email, person.language = stated.email, stated.language
    person.name = stated.name or person.name
    person.save(update_fields=["email", "language", "name"])
    return person


def _profile(said: StatedTeam, teams: Mapping[str, Team], now: datetime) -> bool:
    """The draft; what is published stays as it was."""
    if said.profile is None or stated_profile(said.code) == said.profile:
        return False
    team = teams[said.code]
    ProfileSection.objects.filter(team=team).delete()
    ProfileSection.objects.bulk_create(
        ProfileSection(team=team, number=number, ar=words.ar, en=words.en, fr=words.fr, changed_at=now)
        for number, words in said.profile.items()
    )
    return True


def _certificates(statement: Statement, said: StatedTeam, teams: Mapping[str, Team], by: Viewer, now: datetime) -> bool:
    """Those listed are the team's; others of it are withdrawn."""
    if said.certificates is None:
        return False
    team = teams[said.code]
    as_team = replace(by, team=team.code, roles=frozenset({Role.KEEPER}), key="")
    in_use = TeamCertificate.objects.filter(team=team, withdrawn_at=None)
    present = {as_written(row.armored): row for row in in_use}
    kept, changed = set(), False
    for index, armored in enumerate(said.certificates):
        if armored in present:
            kept.add(present[armored].fingerprint)
            continue
        place = (*said.place, "certificates", index)
        kept.add(_located(statement, place, said.code, lambda: _uploaded(armored, team, as_team, now)))  # noqa: B023
        changed = True
    for row in present.values():
        if row.fingerprint not in kept:
            withdraw_certificate(row, by=as_team, now=now)
            changed = True
    return changed


def _uploaded(armored: str, team: Team, by: Viewer, now: datetime) -> str:
    return upload_certificate(armored.encode(), team=team, by=by, now=now).fingerprint


def _located(statement: Statement, place: tuple[str | int, ...], team: str, act: Callable[[], str]) -> str:
    """Raises: BadStatement with the line, whatever ``act`` refuses."""
    try:
        return act()
    except TansiqError as error:
        raise BadStatement([Mistake(statement.row(place), team, "certificates", error)]) from error
