"""How a team is reached: kept by the team itself, and confirmed by it every four months."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Max

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.members import rules
from tansiq.members.actions import numbering
from tansiq.members.changes import changed
from tansiq.members.mistakes import BadContact, DoubleContact
from tansiq.members.models import Contact, Person, Team
from tansiq.members.statement import CONTACT_EXAMPLES, reachable
from tansiq.members.values import shown
from tansiq.members.words import CONTACT_KINDS, HOURS, POSTS

VALUE_LIMIT, ROLE_LIMIT = 300, 100
CONTACTS_LIMIT = 50
FIELDS = ("kind", "value", "role", "hours", "post", "public", "person")


class BadContactField(TansiqError):
    code = "members.contact.field"
    message = N_("{value} is not known here.")
    remedy = N_("Use {allowed}.")
    exit_code = 2


class TooManyContacts(TansiqError):
    code = "members.contact.many"
    message = N_("{team} has {limit} contacts already.")
    remedy = N_("Take one out that nobody needs.")
    exit_code = 2


@transaction.atomic
def add_contact(
    team: Team,
    *,
    kind: str,
    value: str,
    by: Viewer,
    now: datetime,
    role: str = "",
    hours: str = "",
    post: str = "",
    public: bool = False,
    person: Person | None = None,
) -> Contact:
    """Put a contact last in the team's order; it is confirmed by whoever adds it.

    Raises: NotAllowed; BadContact, BadContactField, DoubleContact, TooManyContacts.
    """
    rules.may_keep_contacts(team=team.code, by=by).require()
    table = numbering.locked()
    last = team.contacts.aggregate(last=Max("position"))["last"]
    if team.contacts.count() >= CONTACTS_LIMIT:
        raise TooManyContacts(team=team.code, limit=CONTACTS_LIMIT)
    contact = Contact(
        team=team, position=0 if last is None else last + 1, kind=kind, value=value.strip(), role=role.strip(),
        hours=hours, post=post, public=public, person=person, confirmed_at=now, confirmed_by=by.name,
    )  # fmt: skip
    _check(contact)
    contact.save()
    numbering.count_up(table)
    record("contact.added", team, by=by, now=now, kind=kind, post=post, public=public)
    changed(team.code, now=now)
    return contact


@transaction.atomic
def change_contact(contact: Contact, *, by: Viewer, now: datetime, **changes: object) -> Contact:
    """Change any of ``FIELDS``; the changed contact is confirmed by whoever changes it.

    Raises: NotAllowed; BadContact, BadContactField, DoubleContact.
    """
    rules.may_keep_contacts(team=contact.team.code, by=by).require()
    if unknown := set(changes) - set(FIELDS):
        raise TypeError(f"a contact has no {', '.join(sorted(unknown))}")
    table = numbering.locked()
    for field, value in changes.items():
        setattr(contact, field, value.strip() if isinstance(value, str) else value)
    contact.confirmed_at, contact.confirmed_by = now, by.name
    _check(contact)
    contact.save()
    numbering.count_up(table)
    record("contact.changed", contact.team, by=by, now=now, kind=contact.kind, post=contact.post, public=contact.public)
    changed(contact.team.code, now=now)
    return contact


@transaction.atomic
def remove_contact(contact: Contact, *, by: Viewer, now: datetime) -> None:
    """Raises: NotAllowed."""
    rules.may_keep_contacts(team=contact.team.code, by=by).require()
    table = numbering.locked()
    contact.delete()
    numbering.count_up(table)
    record("contact.removed", contact.team, by=by, now=now, kind=contact.kind, post=contact.post)
    changed(contact.team.code, now=now)


@transaction.atomic
def move_contact(contact: Contact, *, up: bool, by: Viewer, now: datetime) -> None:
    """Let a contact change places with the one before (``up``) or after it; at the end it stays. Raises: NotAllowed."""
    rules.may_keep_contacts(team=contact.team.code, by=by).require()
    table = numbering.locked()
    contacts = list(Contact.objects.filter(team=contact.team).order_by("position"))
    place = contacts.index(contact)
    other = place - 1 if up else place + 1
    if not 0 <= other < len(contacts):
        return
    here, there = contacts[place].position, contacts[other].position
    # One row at a time through a place of nobody's: positions are unique at every moment.
    for moved, position in ((contact, contacts[-1].position + 1), (contacts[other], here), (contact, there)):
        Contact.objects.filter(pk=moved.pk).update(position=position)
    numbering.count_up(table)
    record("contact.moved", contact.team, by=by, now=now, kind=contact.kind, post=contact.post)
    changed(contact.team.code, now=now)


@transaction.atomic
def confirm_contacts(team: Team, *, by: Viewer, now: datetime) -> int:
    """Say that all contacts of ``team`` still hold; reminders end with it. Returns: how many. Raises: NotAllowed."""
    rules.may_keep_contacts(team=team.code, by=by).require()
    count = team.contacts.update(confirmed_at=now, confirmed_by=by.name)
    record("contacts.confirmed", team, by=by, now=now, count=count)
    changed(team.code, now=now)
    return count


def _check(contact: Contact) -> None:
    for value, allowed in ((contact.kind, CONTACT_KINDS), (contact.hours, HOURS), (contact.post, POSTS)):
        if value not in allowed and (value or allowed is CONTACT_KINDS):
            raise BadContactField(value=shown(value), allowed=", ".join(allowed))
    fits = 0 < len(contact.value) <= VALUE_LIMIT and contact.value.isprintable()
    if not fits or not reachable(contact.kind, contact.value):
        raise BadContact(value=shown(contact.value), kind=contact.kind, example=CONTACT_EXAMPLES[contact.kind])
    if len(contact.role) > ROLE_LIMIT or not contact.role.isprintable():
        raise BadContact(value=shown(contact.role), kind=contact.kind, example=CONTACT_EXAMPLES[contact.kind])
    same = Contact.objects.filter(team=contact.team, kind=contact.kind, value=contact.value, role=contact.role)
    if same.exclude(pk=contact.pk).exists():
        raise DoubleContact(value=shown(contact.value))
