"""Who comes, who goes, and the one-time ways in."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from tansiq.audit.actions import record
from tansiq.core.errors import N_, TansiqError
from tansiq.core.text import LANGUAGES
from tansiq.core.viewer import Role, Seat, Viewer
from tansiq.members import rules
from tansiq.members.actions import tokens
from tansiq.members.actions.appointments import grant, heads_beside, post_of
from tansiq.members.in_force import current
from tansiq.members.models import AddressChange, Appointment, Invitation, Person, SignInLink, Team
from tansiq.members.values import shown

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 6
NAME_LIMIT = 200
ADDRESS_LIMIT = 254  # RFC 5321, errata 1690


class BadAddress(TansiqError):
    code = "members.person.address"
    message = N_("{value} is not an e-mail address.")
    remedy = N_("Write it like name@cert.example.")
    exit_code = 2


class BadName(TansiqError):
    code = "members.person.name"
    message = N_("A name has 1 to {limit} characters on one line.")
    remedy = N_("Write the name as colleagues know it.")
    exit_code = 2


class UnknownLanguage(TansiqError):
    code = "members.person.language"
    message = N_("{value} is not a language of this portal.")
    remedy = N_("Use ar, en or fr.")
    exit_code = 2


class LeftAlready(TansiqError):
    code = "members.person.left"
    message = N_("{person} has left.")
    remedy = N_("Invite them under another address, or ask the Secretariat.")
    exit_code = 5


@dataclass(frozen=True, slots=True)
class Invited:
    """``token`` is shown this once. It is empty when the address is of somebody here already: they need no link."""

    person: Person
    appointment: Appointment
    token: str


@transaction.atomic
def invite(
    email: str,
    *,
    post: Role | Seat,
    by: Viewer,
    now: datetime,
    team: Team | None = None,
    name: str = "",
    language: str = "en",
    decision: str = "",
) -> Invited:
    """Appoint somebody by their address, and make them a person with an invitation if they are not here yet.

    Raises: NotAllowed; BadAddress, BadName, UnknownLanguage; LeftAlready.
    """
    rules.may_appoint(post, team=team.code if team else "", by=by, decision=decision).require()
    email = address(email)
    person = Person.objects.select_for_update().filter(email=email).first()
    fresh = person is None
    if person is None:
        person = create_person(email, name=name, language=language, invited_at=now)
    elif not person.is_active:
        raise LeftAlready(person=person.code)
    appointment = grant(person, post, team=team, granted_by=by.name, decision=decision, now=now)
    waiting = fresh or (person.joined_at is None and not person.has_usable_password())
    token = tokens.drawn(Invitation, person, by=by, now=now) if waiting else ""
    record(
        "person.invited" if waiting else "person.appointed",
        person, by=by, now=now, role=post.value, team_code=team.code if team else "",
    )  # fmt: skip
    return Invited(person, appointment, token)


@transaction.atomic
def invite_again(person: Person, *, by: Viewer, now: datetime) -> str:
    """A new invitation; the old one stops working. Raises: NotAllowed; LeftAlready."""
    if not person.is_active:
        raise LeftAlready(person=person.code)
    teams = frozenset(held_teams(person, now=now))
    rules.may_see_off(teams=teams, by=by, own=False).require()
    token = tokens.drawn(Invitation, person, by=by, now=now)
    record("person.invited", person, by=by, now=now)
    return token


@transaction.atomic
def accept_invitation(token: str, *, now: datetime) -> Person:
    """The person who was invited, once. Raises: tokens.LinkNotValid."""
    person = tokens.used(Invitation, token, now=now)
    record("person.accepted", person, by=Viewer(person=person.code), now=now)
    return person


@transaction.atomic
def sign_in_link(person: Person, *, by: Viewer, now: datetime) -> str:
    """A token that signs ``person`` in once within a day. Raises: NotAllowed."""
    rules.may_make_sign_in_link(by=by, active=person.is_active).require()
    token = tokens.drawn(SignInLink, person, by=by, now=now)
    record("sign_in_link.made", person, by=by, now=now)
    return token


@transaction.atomic
def use_sign_in_link(token: str, *, now: datetime) -> Person:
    """Raises: tokens.LinkNotValid."""
    person = tokens.used(SignInLink, token, now=now)
    record("sign_in_link.used", person, by=Viewer(person=person.code), now=now)
    return person


@transaction.atomic
def leave(person: Person, *, by: Viewer, now: datetime, why: str = "") -> Person:
    """End every appointment and close the account; what the record says of the person stays.

    Raises: NotAllowed: of other teams too, or the last head of one.
    """
    own = by.person == person.code
    held = list(Appointment.objects.filter(current(now), person=person).select_related("team"))
    rules.may_see_off(teams=frozenset(a.team.code for a in held if a.team), by=by, own=own).require()
    for appointment in held:
        if appointment.role == Role.HEAD and appointment.team:
            others = heads_beside(appointment, now=now)
            code = appointment.team.code
            rules.may_end(post_of(appointment), team=code, by=by, own=own, other_heads=others).require()
    Appointment.objects.filter(pk__in=[appointment.pk for appointment in held]).update(until=now)
    Person.objects.filter(pk=person.pk).update(is_active=False, left_at=now)
    close_ways_in(person, now=now)
    record("person.left", person, by=by, now=now, why=why, ended=len(held))
    person.refresh_from_db()
    return person


@transaction.atomic
def erase(person: Person, *, by: Viewer, now: datetime, why: str = "") -> Person:
    """Blank the name and address of somebody who has left. Codes stay, so that the record stays whole.

    Raises: NotAllowed.
    """
    teams = Appointment.objects.filter(person=person, team__isnull=False).values_list("team__code", flat=True)
    rules.may_erase(
        active=person.is_active, erased=person.erased_at is not None, last_teams=frozenset(teams), by=by
    ).require()
    close_ways_in(person, now=now)
    forget_sign_in(person)
    person.contacts.update(person=None)
    AddressChange.objects.filter(person=person).update(email="")
    person.name, person.email, person.erased_at = "", f"{person.code.lower()}@erased.invalid", now
    person.set_unusable_password()
    person.save(update_fields=["name", "email", "erased_at", "password"])
    record("person.erased", person, by=by, now=now, why=why)
    return person


def create_person(
    email: str, *, name: str, language: str, invited_at: datetime | None = None, code: str = ""
) -> Person:
    """Somebody new, who cannot sign in by password yet."""
    if language not in LANGUAGES:
        raise UnknownLanguage(value=language)
    name = name.strip() or email.partition("@")[0]
    if len(name) > NAME_LIMIT or not name.isprintable():
        raise BadName(limit=NAME_LIMIT)
    return Person.objects.create_user(
        email, code=code or new_code(), name=name, language=language, invited_at=invited_at
    )


def new_code() -> str:
    """Drawn, not counted: a counter would tell how many people there are. A billion codes; one taken is drawn anew."""
    while True:
        code = "P-" + "".join(secrets.choice(CROCKFORD) for _ in range(CODE_LENGTH))
        if not Person.objects.filter(code=code).exists():
            return code


def address(email: str) -> str:
    """In the one spelling that is stored. Raises: BadAddress."""
    email = email.strip().lower()
    try:
        if len(email) > ADDRESS_LIMIT:
            raise ValidationError("too long")
        validate_email(email)
    except ValidationError:
        raise BadAddress(value=shown(email)) from None
    return email


def held_teams(person: Person, *, now: datetime) -> set[str]:
    held = Appointment.objects.filter(current(now), person=person, team__isnull=False)
    return set(held.values_list("team__code", flat=True))


def close_ways_in(person: Person, *, now: datetime) -> None:
    """Sessions end at once, and no link that was handed out works any more."""
    from allauth.usersessions.models import UserSession

    for kind in (Invitation, SignInLink, AddressChange):
        kind._default_manager.filter(person=person, used_at=None, expires_at__gt=now).update(expires_at=now)
    for session in UserSession.objects.filter(user=person):
        session.end()


def forget_sign_in(person: Person) -> None:
    """What the library of sign-in keeps of a person: addresses, second factors, accounts elsewhere."""
    from allauth.account.models import EmailAddress
    from allauth.mfa.models import Authenticator
    from allauth.socialaccount.models import SocialAccount

    EmailAddress.objects.filter(user=person).delete()
    Authenticator.objects.filter(user=person).delete()
    SocialAccount.objects.filter(user=person).delete()
