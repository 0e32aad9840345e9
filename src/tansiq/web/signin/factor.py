"""The second factor: before it, a session is nobody.

What counts is what was proved in this very session. A factor that was only just set up does not: whoever stole a
password-only session could set one up too, so a fresh challenge follows every enrolment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

Records = Sequence[Mapping[str, Any]]
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
PROVIDER_FACTOR = "provider_factor"  # our record: the identity provider said how it asked, and we trust that


def records_of(request: HttpRequest) -> Records:
    return get_authentication_records(request, request.user)


def wholly_signed_in(request: HttpRequest) -> bool:
    """Whether the session was opened with two factors: a password and a code, or a passkey that asked who it is."""
    return not settings.SECOND_FACTOR_REQUIRED or two_factors(records_of(request))


def two_factors(records: Records) -> bool:
    return any(record.get("method") in ("mfa", PROVIDER_FACTOR) for record in records)


def by_provider(records: Records) -> bool:
    """Whether the identity provider, rather than the person's own password or passkey, opened the session."""
    return any(record.get("method") == "socialaccount" for record in records)


def has_factor(person_id: int) -> bool:
    """Whether there is something to be asked for. Recovery codes alone are no factor."""
    return Authenticator.objects.filter(user_id=person_id, type__in=FACTORS).exists()
