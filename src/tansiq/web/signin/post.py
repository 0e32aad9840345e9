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
