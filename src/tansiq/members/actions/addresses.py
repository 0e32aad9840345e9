"""The mail address somebody signs in with: asked for, and changed once the new mailbox has answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.members.actions import tokens
from tansiq.members.actions.people import address
from tansiq.members.models import AddressChange, Person


class SameAddress(TansiqError):
    code = "members.person.same_address"
    message = N_("{value} is your address already.")
    remedy = N_("Type another one, or leave it as it is.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Asked:
    """``token`` is for the new mailbox alone. It is empty when the address is taken, which nobody is told."""

    email: str
    token: str


@transaction.atomic
def ask_for_address(person: Person, email: str, *, by: Viewer, now: datetime) -> Asked:
    """Nothing changes until the link is used; an earlier one stops working, whether or not this address is taken.

    Raises: BadAddress; SameAddress.
    """
    email = address(email)
    if email == person.email:
        raise SameAddress(value=email)
    taken = Person.objects.filter(email=email).exists()
    token = tokens.drawn(AddressChange, person, by=by, now=now, email=email)
    record("person.address_asked", person, by=by, now=now)
    return Asked(email, "" if taken else token)


def address_asked(token: str, *, by: Viewer, now: datetime) -> str:
    """The address that this link of the viewer's own stands for. Raises: LinkNotValid: another person's, too."""
    return _own(token, by, now).email


@transaction.atomic
def change_address(token: str, *, by: Viewer, now: datetime) -> tuple[Person, str]:
    """The person with the new address, and the old one; once.

    Raises: LinkNotValid: another person's link, an address taken in the meantime, and whatever else is wrong.
    """
    asked = _own(token, by, now)
    person = Person.objects.select_for_update().get(pk=asked.person_id)
    tokens.used(AddressChange, token, now=now)
    old, person.email = person.email, asked.email
    try:
        with transaction.atomic():
            person.save(update_fields=["email"])
    except IntegrityError:
        raise tokens.LinkNotValid() from None
    record("person.address_changed", person, by=by, now=now)
    return person, old


def _own(token: str, by: Viewer, now: datetime) -> AddressChange:
    tokens.holder(AddressChange, token, now=now)
    asked = AddressChange.objects.filter(token_hash=tokens.digest(token), person__code=by.person).first()
    if asked is None:
        raise tokens.LinkNotValid()
    return asked
