"""The second factor: before it, a session is nobody."""

from __future__ import annotations

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest


def wholly_signed_in(request: HttpRequest) -> bool:
    """Whether this session was opened with two factors: a password and a code, or a passkey that asked who it is."""
    return any(record.get("method") == "mfa" for record in get_authentication_records(request))
