"""Roles in teams and seats of the federation: given, ended, moved."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from tansiq.audit.actions import record
from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.members import rules
from tansiq.members.in_force import current
from tansiq.members.models import Appointment, Person, Team


@transaction.atomic
def appoint(
    person: Person, post: Role | Seat, *, by: Viewer, now: datetime, team: Team | None = None, decision: str = ""
) -> Appointment:
    """Give ``person`` a role in ``team``, or a seat. Held already, it stays as it is. Raises: NotAllowed."""
    code = team.code if team else ""
    rules.may_appoint(post, team=code, by=by, decision=decision).require()
    appointment = grant(person, post, team=team, granted_by=by.name, decision=decision, now=now)
    record("person.appointed", person, by=by, now=now, role=post.value, team_code=code)
    return appointment


@transaction.atomic
def end_appointment(appointment: Appointment, *, by: Viewer, now: datetime, why: str = "", decision: str = "") -> None:
    """Take a role or seat back from ``now`` on. Raises: NotAllowed: not yours to end, or a team's last head."""
    team, person = appointment.team, appointment.person
    code = team.code if team else ""
    if team:  # two heads who end each other at once come one after the other
        Team.objects.select_for_update().get(pk=team.pk)
    rules.may_end(
        post_of(appointment),
        team=code,
        by=by,
        own=by.person == person.code,
        other_heads=heads_beside(appointment, now=now),
        decision=decision,
    ).require()
    if Appointment.objects.filter(pk=appointment.pk, until=None).update(until=now):
        record("person.appointment_ended", person, by=by, now=now, why=why, role=appointment.role, team_code=code)


@transaction.atomic
def transfer(
    person: Person, *, origin: Team, to: Team, role: Role, by: Viewer, now: datetime, why: str = ""
) -> Appointment:
    """Move somebody from team to team: every role in the one ends as one in the other begins. Raises: NotAllowed."""
    rules.may_transfer(by=by).require()
    Appointment.objects.filter(current(now), person=person, team=origin).update(until=now)
    appointment = grant(person, role, team=to, granted_by=by.name, decision="", now=now)
    record("person.transferred", person, by=by, now=now, why=why, role=role.value, left=origin.code, joined=to.code)
    return appointment


@transaction.atomic
def grant_by_provider(person: Person, *, team: Team, roles: Iterable[Role], provider: str, now: datetime) -> set[Role]:
    """Make the roles that ``provider``'s groups give in its own ``team`` those in ``roles``; others stay.

    Returns: the roles that changed, given or taken.
    """
    granted_by = f"idp:{provider}"
    held = Appointment.objects.filter(person=person, team=team, until=None)
    wanted, present = set(roles), {Role(role) for role in held.values_list("role", flat=True)}
    theirs = {Role(role) for role in held.filter(granted_by=granted_by).values_list("role", flat=True)}
    held.filter(granted_by=granted_by, role__in=[role.value for role in theirs - wanted]).update(until=now)
    for role in wanted - present:
        grant(person, role, team=team, granted_by=granted_by, decision="", now=now)
    if changed := (theirs - wanted) | (wanted - present):
        by = Viewer.system(because="identity-provider")
        given, taken = (sorted(roles & changed) for roles in (wanted, theirs - wanted))
        record("person.roles_by_provider", person, by=by, now=now, team_code=team.code, given=given, taken=taken)
    return changed


def grant(
    person: Person, post: Role | Seat, *, team: Team | None, granted_by: str, decision: str, now: datetime
) -> Appointment:
    """The row itself; what may be granted, and its record, are the caller's."""
    appointment, _new = Appointment.objects.get_or_create(
        person=person,
        team=team,
        role=post.value,
        until=None,
        defaults={"since": now, "granted_by": granted_by, "decision": decision.strip()},
    )
    return appointment


def post_of(appointment: Appointment) -> Role | Seat:
    return Role(appointment.role) if appointment.team_id else Seat(appointment.role)


def heads_beside(appointment: Appointment, *, now: datetime) -> int:
    """How many other active people head the team of ``appointment``."""
    heads = Appointment.objects.filter(current(now), team=appointment.team_id, role=Role.HEAD)
    return heads.filter(person__is_active=True).exclude(person=appointment.person_id).count()
