"""Mail of the sign-in desk, in the reader's language, through the node's queue."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from tansiq.members.models import Person
from tansiq.notices import mail


def send(to: Person, subject: str, text: str, *, now: datetime) -> None:
    mail.enqueue(to.email, subject, text.strip() + "\n", language=to.language, now=now)


def invite(person: Person, token: str, *, inviter: str, now: datetime) -> None:
    """The invitation; its address is the portal's own, whatever Host a request claims."""
    with translation.override(person.language):
        facts = {"inviter": inviter, "address": f"{settings.ADDRESS}/invitation/{token}/"}
        text = render_to_string("account/mail/invitation.txt", facts)
        send(person, _("Your invitation to Tansiq"), text, now=now)


def address_asked(person: Person, email: str, token: str, *, now: datetime) -> None:
    """The link to the new mailbox, unless ``token`` is empty, and word of it to the old one, both in one go."""
    with translation.override(person.language):
        subject = _("Your mail address at Tansiq")
        if token:
            facts = {"address": f"{settings.ADDRESS}/account/address/{token}/"}
            text = render_to_string("account/mail/address.txt", facts).strip() + "\n"
            mail.enqueue(email, subject, text, language=person.language, now=now)
        send(
            person, subject, render_to_string("account/mail/address_asked.txt", {"address": settings.ADDRESS}), now=now
        )


def address_changed(person: Person, old: str, *, now: datetime) -> None:
    """To the old mailbox."""
    with translation.override(person.language):
        text = render_to_string("account/mail/address_changed.txt").strip() + "\n"
        mail.enqueue(old, _("Your mail address at Tansiq"), text, language=person.language, now=now)
