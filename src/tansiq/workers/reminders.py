"""Asking teams by mail to confirm how they are reached."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tansiq.core.errors import N_
from tansiq.core.language import catalogue
from tansiq.core.text import LANGUAGES
from tansiq.members.actions import reminders
from tansiq.members.queries import home_language
from tansiq.notices import mail

SUBJECT = N_("Please confirm how {team} is reached")
ASKED = N_(
    "The federation asks every team to confirm its points of contact every four months. Those of {team} are due.\n\n"
    "Please look through them and confirm them, or correct them first: {address}\n\n"
    "Until then the directory shows that they are not confirmed."
)


def ask(address: str, *, now: datetime) -> int:
    """Queue what is due, each team's mails with the record that it was asked. Returns: how many mails.

    Args:
        address: of the portal, where contacts are confirmed.
    """
    count, own = 0, home_language()  # of a mailbox that no person here stands behind
    with transaction.atomic():
        for reminder in reminders.claim_due(now):
            for to in reminder.to:
                language = to.language or own
                words = catalogue(language).gettext
                team = named(reminder.names, language, reminder.team)
                subject, text = words(SUBJECT).format(team=team), words(ASKED).format(team=team, address=address)
                mail.enqueue(to.email, subject, text, language=language, now=now)
                count += 1
    return count


def named(names: dict[str, str], language: str, code: str) -> str:
    """The team's name in the reader's language, else in another, else its code."""
    return next((names[one] for one in (language, *LANGUAGES) if names.get(one)), code)
