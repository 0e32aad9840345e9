"""The register as statements: what an export writes, and an import compares with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tansiq.core import claims as core
from tansiq.core.text import Text
from tansiq.core.viewer import Role, Viewer
from tansiq.members import rules
from tansiq.members.in_force import current
from tansiq.members.models import (
    Appointment,
    Claim,
    Contact,
    MembershipPeriod,
    ProfileSection,
    Team,
    TeamCertificate,
)
from tansiq.members.queries.directory import CLAIM_COLUMNS
from tansiq.members.register_statement import ROLES, StatedPeriod, StatedPerson, StatedStanding
from tansiq.members.statement import StatedTeam


def export(viewer: Viewer, *, now: datetime, team: str = "") -> list[StatedTeam]:
    """Teams as a file states them, all or one; never secrets. Shipped teams that nobody has described are among them.

    Raises: NotAllowed: all teams are for the operator and the Secretariat; one team also for its head.
    """
    rules.may_export(team=team, by=viewer).require()
    teams = Team.objects.filter(code=team) if team else Team.objects.all()
    return [_stated(row, now) for row in teams.order_by("code")]


def _stated(team: Team, now: datetime) -> StatedTeam:
    return StatedTeam(
        code=team.code,
        names=team.names,
        country=team.country,
        kind=team.kind,
        source=team.source,
        claims=_claims(team),
        contacts=[contact_stated(contact) for contact in _contacts(team)],
        periods=[period_stated(row) for row in _periods(team)],
        people=stated_people(team.code, now=now),
        profile=stated_profile(team.code),
        certificates=_certificates(team),
    )


def _claims(team: Team) -> list[core.Claim]:
    rows = Claim.objects.filter(team=team, withdrawn_at=None).order_by("pk").values_list(*CLAIM_COLUMNS)
    claims = [core.Claim(*row) for row in rows]
    return sorted(claims, key=lambda claim: core.KINDS.index(claim.kind))


def _contacts(team: Team) -> Sequence[Contact]:
    return list(Contact.objects.filter(team=team).select_related("person").order_by("position"))


def contact_stated(contact: Contact) -> dict[str, object]:
    said: dict[str, object] = {
        "kind": contact.kind, "value": contact.value, "role": contact.role, "hours": contact.hours,
    }  # fmt: skip
    more = {
        "post": contact.post,
        "public": contact.public,
        "person": contact.person.code if contact.person else "",
        "confirmed_at": contact.confirmed_at,
    }
    return said | {key: value for key, value in more.items() if value}


def _periods(team: Team) -> Sequence[MembershipPeriod]:
    return list(MembershipPeriod.objects.filter(team=team).prefetch_related("standings").order_by("pk"))


def period_stated(row: MembershipPeriod) -> StatedPeriod:
    return StatedPeriod(
        category=row.category,
        since=row.since,
        since_precision=row.since_precision,
        until=row.until,
        decision=row.decision,
        source=row.source,
        community_agreement=row.community_agreement,
        standings=tuple(StatedStanding(s.state, s.since, s.decision) for s in row.standings.all()),
    )


def stated_people(team: str, *, now: datetime) -> list[StatedPerson]:
    """Everybody with a role in the team at ``now``, by code; no passwords, factors, keys or links."""
    held = Appointment.objects.filter(current(now), team__code=team, person__is_active=True)
    roles: dict[str, set[str]] = {}
    people = {}
    for row in held.select_related("person"):
        people[row.person.code] = row.person
        roles.setdefault(row.person.code, set()).add(Role(row.role).value)
    return [
        StatedPerson(
            code=code,
            email=people[code].email,
            name=people[code].name,
            language=people[code].language,
            roles=tuple(role for role in ROLES if role in roles[code]),
        )
        for code in sorted(people)
    ]


def stated_profile(team: str) -> dict[str, Text]:
    rows = ProfileSection.objects.filter(team__code=team).order_by("pk")
    return {row.number: Text(row.ar, row.en, row.fr) for row in rows}


def _certificates(team: Team) -> list[str]:
    rows = TeamCertificate.objects.filter(team=team, withdrawn_at=None).order_by("fingerprint")
    return [as_written(row.armored) for row in rows]


def as_written(armored: str) -> str:
    """With the line ends that a file has."""
    return "\n".join(armored.strip().splitlines())
