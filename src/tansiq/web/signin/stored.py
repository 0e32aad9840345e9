"""The secrets of second factors as they lie in the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings

from tansiq.web.signin import sealing

FIELDS = {"totp": "secret", "recovery_codes": "seed"}
"""Kind of factor -> where its secret stands in the row's data."""


def secrets_known() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def unreadable() -> int:
    """How many people have a factor here that this node's secret does not open. For the node's own check."""
    return len({person for person, stored in _stored() if not _opens(stored)})


def _opens(stored: str) -> bool:
    try:
        sealing.unseal(stored, secrets_known=secrets_known())
    except sealing.Unreadable:
        return False
    return True


def _stored() -> Iterator[tuple[int, str]]:
    rows: Any = Authenticator.objects.filter(type__in=FIELDS).values_list("user_id", "type", "data")
    for person, kind, data in rows.iterator(chunk_size=1000):
        values = [data.get(FIELDS[kind]), *data.get("migrated_codes", [])]
        yield from ((person, value) for value in values if isinstance(value, str))
