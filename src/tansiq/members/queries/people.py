"""Who is of a team, and who is on duty. Names of people are for those who are signed in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.members import rules
from tansiq.members.in_force import current
from tansiq.members.models import Appointment, DutyShift, Invitation, Node, Person


@dataclass(frozen=True, slots=True)
class Held:
    """A role or seat in force; ``id`` is the appointment's, for ending it."""

    id: int
    post: str
    since: datetime
    granted_by: str


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a team. ``invited_until``: an invitation is waiting; ``email`` is empty for those of other teams."""

    code: str
    name: str
    email: str
    language: str
    joined_at: datetime | None
    invited_until: datetime | None
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class OnDuty:
    id: int
    team: str
    person: str
    name: str
    since: datetime
    until: datetime


def home_team() -> str:
    """Code of the team whose node this is; empty before set-up."""
    return Node.objects.values_list("team__code", flat=True).first() or ""


def home_language() -> str:
    """In which language the node speaks where it knows of none; English before set-up."""
    return Node.objects.values_list("language", flat=True).first() or "en"


def person(viewer: Viewer, code: str) -> Person | None:
    """Somebody by code, for those who are signed in."""
    return None if viewer.nobody else Person.objects.filter(code=code).first()


def names_of(viewer: Viewer, codes: Collection[str]) -> dict[str, str]:
    """Code -> name, for those who are signed in; one query."""
    return {} if viewer.nobody else dict(Person.objects.filter(code__in=codes).values_list("code", "name"))


def team_people(viewer: Viewer, team: str, *, now: datetime) -> list[Member]:
    """Everybody with a role in ``team``, heads first: for its own people and the Secretariat, nobody else."""
    if not (viewer.team == team or viewer.sits(Seat.SECRETARIAT)):
        return []
    return _members(Appointment.objects.filter(current(now), team__code=team), now=now)


def seats(viewer: Viewer, *, now: datetime) -> list[Member]:
    """Who holds a seat of the federation: for those who hold one."""
    if not viewer.seats:
        return []
    return _members(Appointment.objects.filter(current(now), team=None), now=now)


def _members(appointments: object, *, now: datetime) -> list[Member]:
    rows = appointments.select_related("person").order_by("person__name", "person__code", "pk")  # type: ignore[attr-defined]
    people: dict[int, Person] = {}
    held: dict[int, list[Held]] = {}
    for row in rows:
        people[row.person_id] = row.person
        held.setdefault(row.person_id, []).append(Held(row.pk, row.role, row.since, row.granted_by))
    waiting = dict(
        Invitation.objects.filter(person__in=people, used_at=None, expires_at__gt=now).values_list(
            "person", "expires_at"
        )
    )
    members = [
        Member(
            code=found.code,
            name=found.name,
            email=found.email,
            language=found.language,
            joined_at=found.joined_at,
            invited_until=waiting.get(key),
            held=tuple(held[key]),
        )
        for key, found in people.items()
    ]
    return sorted(members, key=lambda member: not any(held.post == Role.HEAD for held in member.held))


def on_duty(viewer: Viewer, team: str, *, now: datetime) -> list[OnDuty]:
    """Who answers for ``team`` at this moment: a name, so for those who may see all contacts."""
    if not rules.may_see_contacts(viewer, team=team):
        return []
    return _shifts(Q(team__code=team, since__lte=now, until__gt=now))


def duty_roster(viewer: Viewer, team: str, *, now: datetime) -> list[OnDuty]:
    """Present and coming shifts of ``team``: for its own people."""
    return _shifts(Q(team__code=team, until__gt=now)) if viewer.team == team else []


def _shifts(which: Q) -> list[OnDuty]:
    rows = DutyShift.objects.filter(which).order_by("since", "pk")
    columns = ("pk", "team__code", "person__code", "person__name", "since", "until")
    return [OnDuty(*row) for row in rows.values_list(*columns)]
