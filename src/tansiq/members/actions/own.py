"""What people change of themselves."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from tansiq.audit.actions import record
from tansiq.core.text import LANGUAGES
from tansiq.core.viewer import Viewer
from tansiq.members.actions.people import UnknownLanguage
from tansiq.members.models import Person


@transaction.atomic
def choose_language(language: str, *, by: Viewer, now: datetime) -> None:
    """In which language the portal and its mail speak to whoever asks; the same again changes nothing.

    Raises: UnknownLanguage.
    """
    if language not in LANGUAGES:
        raise UnknownLanguage(value=language)
    if Person.objects.filter(code=by.person).exclude(language=language).update(language=language):
        record("person.language_chosen", ("person", by.person), by=by, now=now, language=language)


@transaction.atomic
def join(person: Person, *, now: datetime) -> None:
    """Write down that somebody is wholly signed in for the first time; later times change nothing."""
    if Person.objects.filter(pk=person.pk, joined_at=None).update(joined_at=now):
        record("person.joined", person, by=Viewer(person=person.code), now=now)
