"""Asking teams to confirm how they are reached. Whoever sends the mail claims what is due; nothing is claimed twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from tansiq.audit.actions import record
from tansiq.core.viewer import Viewer
from tansiq.members.models import ContactReminder
from tansiq.members.queries.contacts import Due, due_reminders

REMINDER = Viewer.system(because="reminder")


@dataclass(frozen=True, slots=True)
class Addressee:
    email: str
    language: str


@dataclass(frozen=True, slots=True)
class Reminder:
    """One mail to write.

    Attributes:
        team: code; ``names`` by language.
        to: the team's heads, duty officers and keepers; its primary or else any contact by mail when it has none here.
        confirmed_at: when all contacts were last confirmed; None if never.
        number: how often it was asked in this round, from 1.
    """

    team: str
    names: dict[str, str]
    to: tuple[Addressee, ...]
    confirmed_at: datetime | None
    number: int


def claim_due(now: datetime) -> list[Reminder]:
    """The reminders to send now, recorded as sent. Call it inside the transaction that queues the mail.

    A team that nobody can write to is not claimed: it is flagged, and the Secretariat sees it.
    """
    return [reminder for due in due_reminders(now=now) if (reminder := _claimed(due, now))]


@transaction.atomic
def _claimed(due: Due, now: datetime) -> Reminder | None:
    """Compare and swap on the moment of the last one: of two workers one gets it."""
    again = due.reminded_at is not None and (due.confirmed_at is None or due.reminded_at > due.confirmed_at)
    number = due.number + 1 if again else 1
    if due.reminded_at is None:
        try:
            with transaction.atomic():
                ContactReminder.objects.create(team_id=due.team_id, reminded_at=now, number=number)
        except IntegrityError:
            return None
    else:
        same = ContactReminder.objects.filter(team=due.team_id, reminded_at=due.reminded_at)
        if not same.update(reminded_at=now, number=number):
            return None
    record("contacts.reminded", ("team", due.team), by=REMINDER, now=now, count=number)
    to = tuple(Addressee(email, language) for email, language in due.addresses)
    return Reminder(due.team, due.names, to, due.confirmed_at, number)
