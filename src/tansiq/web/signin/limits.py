"""How fast one may guess. By where the guesses come from, never by whose account they are aimed at.

A limit on the account's name lets anybody lock a duty officer out by failing in the officer's name. So failures are
counted against the address (a /64 in IPv6) and the network (/24, /48) they come from; the right password from anywhere
else is always let in, and passkeys, which cannot be guessed, are not counted at all.

Wrong *codes* come from somebody who has the password already. They are counted against the person too, since botnets
have many addresses, but only on networks from which the person never signed in wholly before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from tansiq.core.errors import N_, TansiqError
from tansiq.web.signin.address import host_of, network_of
from tansiq.web.signin.models import KnownNetwork, Pressure


@dataclass(frozen=True, slots=True)
class Limit:
    """Attributes:
    free: failures that cost nothing.
    leak_seconds: after this long without a failure, one is forgotten.
    first_seconds: the wait after them; it doubles with each failure more.
    most_seconds: the longest wait.
    """

    free: int
    leak_seconds: int
    first_seconds: int
    most_seconds: int


HOST = Limit(free=10, leak_seconds=60, first_seconds=1, most_seconds=900)
NETWORK = Limit(free=100, leak_seconds=10, first_seconds=1, most_seconds=60)
PERSON = Limit(free=50, leak_seconds=600, first_seconds=30, most_seconds=900)
MAILBOX = Limit(free=3, leak_seconds=900, first_seconds=120, most_seconds=3600)
FORGOTTEN_AFTER = timedelta(days=2)


class TooManyFailures(TansiqError):
    code = "signin.too_many"
    message = N_("Too many failed attempts came from your network address.")
    remedy = N_("Wait {seconds} seconds, or sign in with a passkey.")
    exit_code = 5
    transient = True


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    limit: Limit


def keys_of(address: str) -> tuple[Key, ...]:
    return (Key(f"host:{host_of(address)}", HOST), Key(f"net:{network_of(address)}", NETWORK))


def keys_of_code(person_id: int, address: str) -> tuple[Key, ...]:
    """The same, and the person's own count where the person is not known to be."""
    if KnownNetwork.objects.filter(person_id=person_id, network=network_of(address)).exists():
        return keys_of(address)
    return (*keys_of(address), Key(f"code:{person_id}", PERSON))


def key_of_mailbox(email: str) -> Key:
    return Key(f"mail:{hashlib.sha256(email.strip().lower().encode()).hexdigest()[:40]}", MAILBOX)


def standing(failures: int, quiet_seconds: float, limit: Limit) -> int:
    """Failures still held against a key after ``quiet_seconds`` without another."""
    return max(0, failures - int(max(0.0, quiet_seconds) // limit.leak_seconds))


def wait_seconds(failures: int, quiet_seconds: float, limit: Limit) -> int:
    """How long until the next attempt; 0: now."""
    beyond = standing(failures, quiet_seconds, limit) - limit.free
    if beyond < 0:
        return 0
    whole = min(limit.most_seconds, limit.first_seconds * 2 ** min(beyond, 20))
    return max(0, -int(-(whole - max(0.0, quiet_seconds)) // 1))


@transaction.atomic
def spend(keys: Iterable[Key], *, now: datetime) -> None:
    """Count an attempt as failed before it is judged, so that many at once cannot all slip through.

    Whoever then finds it good calls ``refund``.
    Raises: TooManyFailures, when one of the keys has to wait; nothing is counted then.
    """
    held = [(key, _locked(key, now)) for key in sorted(keys, key=lambda key: key.name)]
    longest = max((wait_seconds(row.failures, _quiet(row, now), key.limit) for key, row in held), default=0)
    if longest:
        raise TooManyFailures(seconds=longest)
    for key, row in held:
        row.failures = standing(row.failures, _quiet(row, now), key.limit) + 1
        row.last_at = now
        row.save(update_fields=["failures", "last_at"])


@transaction.atomic
def refund(keys: Iterable[Key]) -> None:
    for key in sorted(keys, key=lambda key: key.name):
        row = Pressure.objects.select_for_update().filter(key=key.name, failures__gt=0).first()
        if row is not None:
            row.failures -= 1
            row.save(update_fields=["failures"])


def remember_network(person_id: int, address: str, *, now: datetime) -> None:
    KnownNetwork.objects.update_or_create(person_id=person_id, network=network_of(address), defaults={"seen_at": now})


def forget(*, now: datetime) -> int:
    """Drop what no longer holds anybody back; returns how many rows."""
    return Pressure.objects.filter(last_at__lt=now - FORGOTTEN_AFTER).delete()[0]


def _locked(key: Key, now: datetime) -> Pressure:
    Pressure.objects.get_or_create(key=key.name, defaults={"failures": 0, "last_at": now})
    return Pressure.objects.select_for_update().get(key=key.name)


def _quiet(row: Pressure, now: datetime) -> float:
    return (now - row.last_at).total_seconds()
