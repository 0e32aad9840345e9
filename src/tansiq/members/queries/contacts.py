"""How teams are reached, as each reader may see it; what is missing; whom to ask again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.members import rules, withheld
from tansiq.members.in_force import current
from tansiq.members.models import Appointment, Contact, ContactReminder, DutyShift, Team, TeamCertificate
from tansiq.members.queries.periods import all_facts

ASKED = (Role.HEAD, Role.DUTY_OFFICER, Role.KEEPER)


@dataclass(frozen=True, slots=True)
class ContactEntry:
    """``person``: code of the person behind it, if one is named; ``confirmed_at`` None: never confirmed."""

    id: int
    kind: str
    value: str
    role: str
    hours: str
    post: str
    public: bool
    person: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """A team to be asked, and what is known of the last time. ``addresses``: (mail address, language)."""

    team: str
    team_id: int
    names: dict[str, str]
    addresses: tuple[tuple[str, str], ...]
    confirmed_at: datetime | None
    reminded_at: datetime | None
    number: int


def visible(viewer: Viewer) -> Q:
    shown = Q(public=True) | ~Q(team__code__in=withheld.teams())
    if rules.may_see_contacts(viewer):
        return shown
    return shown & (Q(public=True) | Q(team__code=viewer.team) if viewer.team else Q(public=True))


def shown_contacts(viewer: Viewer, teams: Iterable[str]) -> dict[str, list[ContactEntry]]:
    """Code -> contacts in the team's order, as far as ``viewer`` may see them: guests what is public alone."""
    found: dict[str, list[ContactEntry]] = {code: [] for code in teams}
    rows = Contact.objects.filter(visible(viewer), team__code__in=found).select_related("team", "person")
    for row in rows.order_by("team", "position"):
        found[row.team.code].append(entry(row))
    return found


def entry(row: Contact) -> ContactEntry:
    return ContactEntry(
        id=row.pk,
        kind=row.kind,
        value=row.value,
        role=row.role,
        hours=row.hours,
        post=row.post,
        public=row.public,
        person=row.person.code if row.person else "",
        confirmed_at=row.confirmed_at,
    )


def flags(viewer: Viewer, team: str, *, now: datetime) -> tuple[str, ...]:
    """What ``team`` lacks, as codes of ``rules.FLAGS``: for its own people and the Secretariat."""
    if not (viewer.team == team or viewer.sits(Seat.SECRETARIAT)):
        return ()
    return _flags(Q(code=team), now=now).get(team, ())


def all_flags(viewer: Viewer, *, now: datetime) -> dict[str, tuple[str, ...]]:
    """Every team that lacks something -> what: for the Secretariat. A fixed number of queries."""
    return _flags(Q(), now=now) if viewer.sits(Seat.SECRETARIAT) else {}


def _flags(which: Q, *, now: datetime) -> dict[str, tuple[str, ...]]:
    answering = {
        period.team
        for period in all_facts()
        if period.category in ("full", "general") and rules.in_force(period, now.date())
    }
    usable = TeamCertificate.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), withdrawn_at=None)
    certified = {row.team_id for row in usable if not row.bad}
    found = {}
    for team in Team.objects.filter(which).order_by("code").prefetch_related("contacts"):
        missing = rules.flags(
            facts(team.contacts.all()),
            answers_for_a_country=team.code in answering,
            certificate=team.pk in certified,
            now=now,
        )
        if missing:
            found[team.code] = missing
    return found


def facts(contacts: Iterable[Contact]) -> list[rules.ContactFacts]:
    return [rules.ContactFacts(c.kind, c.post, c.hours, c.confirmed_at) for c in contacts]


def due_reminders(*, now: datetime) -> list[Due]:
    """The teams to be asked at ``now`` that can be written to. Claims nothing: ``actions.reminders`` does."""
    reminders = {row.team_id: row for row in ContactReminder.objects.all()}
    people = _asked_people(now)
    found = []
    for team in Team.objects.order_by("code").prefetch_related("contacts"):
        contacts = list(team.contacts.all())
        if not contacts:
            continue
        confirmed_at = rules.last_confirmed(facts(contacts))
        last = reminders.get(team.pk)
        reminded_at = last.reminded_at if last else None
        addresses = tuple(people[team.pk]) or _written_to(contacts)
        if addresses and rules.reminder_due(confirmed_at=confirmed_at, reminded_at=reminded_at, now=now):
            number = last.number if last else 0
            found.append(Due(team.code, team.pk, team.names, addresses, confirmed_at, reminded_at, number))
    return found


def written_to(team: Team, *, now: datetime) -> tuple[tuple[str, str], ...]:
    """(mail address, language) of those who keep the team's entry; of its contacts, language empty, if it has no
    such people here. For the node's own mail."""
    return tuple(_asked_people(now).get(team.pk, ())) or _written_to(list(team.contacts.all()))


def called_now(team: Team, *, now: datetime) -> tuple[tuple[str, str], ...]:
    """(mail address, language) of whoever is on duty for the team at this moment; else as ``written_to``."""
    shifts = DutyShift.objects.filter(team=team, since__lte=now, until__gt=now, person__is_active=True)
    found = shifts.order_by("person__email").values_list("person__email", "person__language").distinct()
    called = tuple((email, language) for email, language in found if not email.endswith(".invalid"))
    return called or written_to(team, now=now)


def _asked_people(now: datetime) -> dict[int, list[tuple[str, str]]]:
    held = Appointment.objects.filter(current(now), role__in=[r.value for r in ASKED], person__is_active=True)
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = held.order_by("person__email").values_list("team_id", "person__email", "person__language").distinct()
    for team, email, language in rows:
        if not email.endswith(".invalid"):
            found[team].append((email, language))
    return found


def _written_to(contacts: list[Contact]) -> tuple[tuple[str, str], ...]:
    mail = [contact for contact in contacts if contact.kind == "email"]
    primary = [contact for contact in mail if contact.post == "primary"]
    return tuple((contact.value, "") for contact in (primary or mail))
