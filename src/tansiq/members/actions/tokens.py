"""Secrets that are handed out once and used once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TypeVar

from tansiq.core.errors import N_, TansiqError
from tansiq.core.viewer import Viewer
from tansiq.members.models import AddressChange, Invitation, OneTimeToken, Person, SignInLink

INVITATION_DAYS = 7
SIGN_IN_LINK_HOURS = 24
ADDRESS_CHANGE_HOURS = 24
VALID = {
    Invitation: timedelta(days=INVITATION_DAYS),
    SignInLink: timedelta(hours=SIGN_IN_LINK_HOURS),
    AddressChange: timedelta(hours=ADDRESS_CHANGE_HOURS),
}
TOKEN_BYTES = 32

_Token = TypeVar("_Token", bound=OneTimeToken)


class LinkNotValid(TansiqError):
    """Unknown, used, expired or of somebody who has left: which of them is nobody's business who holds the link."""

    code = "members.link.not_valid"
    message = N_("This link is no longer valid.")
    remedy = N_("Ask for a new one from whoever sent it: links work once, and for a few days at most.")
    exit_code = 5


def drawn(kind: type[OneTimeToken], person: Person, *, by: Viewer, now: datetime, **more: str) -> str:
    """A new token for ``person``; unused earlier ones of the kind stop working. ``more``: fields of the kind's own."""
    kind._default_manager.filter(person=person, used_at=None, expires_at__gt=now).update(expires_at=now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    kind._default_manager.create(
        person=person, token_hash=digest(token), made_by=by.name, made_at=now, expires_at=now + VALID[kind], **more
    )
    return token


def used(kind: type[_Token], token: str, *, now: datetime) -> Person:
    """The person whose token it is, once. Raises: LinkNotValid."""
    person = holder(kind, token, now=now)
    unused = kind._default_manager.filter(token_hash=digest(token), used_at=None)
    if not unused.update(used_at=now):  # of two at once, one finds it used
        raise LinkNotValid()
    return person


def holder(kind: type[_Token], token: str, *, now: datetime) -> Person:
    """Whose token it is, without using it: what a page shows before it is confirmed. Raises: LinkNotValid."""
    live = kind._default_manager.filter(token_hash=digest(token), used_at=None, expires_at__gt=now)
    found = live.filter(person__is_active=True).select_related("person").first()
    if found is None:
        raise LinkNotValid()
    return found.person


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
