"""Who keeps a team's API keys, and when a key is good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from people import AMINA, GRACE, MOUSSA, NOBODY, RACHED, key_of, person
from tansiq.core.viewer import Role, Scope
from tansiq.members.rules.keys import (
    WRITING,
    KeyFacts,
    may_keep_keys,
    may_revoke_key,
    may_use,
    roles_of,
    scopes_in_force,
    within,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SALMA = person("salma", Role.HEAD, team="XA-CERT")
FATOU = person("fatou", Role.HEAD, team="XF-CERT")
EVERYBODY = {AMINA, MOUSSA, GRACE, RACHED, NOBODY, SALMA, FATOU, key_of("XA-CERT", *Scope)}


def facts(*addresses: str, days: int = 1, revoked_at: datetime | None = None) -> KeyFacts:
    return KeyFacts(addresses, NOW + timedelta(days=days), revoked_at)


def test_may_keep_keys_the_teams_head_alone() -> None:
    assert {viewer for viewer in EVERYBODY if may_keep_keys(team="XA-CERT", by=viewer)} == {SALMA}


def test_may_revoke_key_the_head_or_the_secretariat() -> None:
    assert {viewer for viewer in EVERYBODY if may_revoke_key(team="XA-CERT", by=viewer)} == {SALMA, GRACE}


@pytest.mark.parametrize(
    ("key", "address", "reason"),
    [
        (facts(), "192.0.2.7", ""),
        (facts(), "", ""),
        (facts("192.0.2.0/24"), "192.0.2.7", ""),
        (facts("192.0.2.0/24"), "198.51.100.7", "members.key.address"),
        (facts("192.0.2.0/24"), "", "members.key.address"),
        (facts(days=0), "192.0.2.7", "members.key.expired"),
        (facts(days=-1), "192.0.2.7", "members.key.expired"),
        (facts(revoked_at=NOW), "192.0.2.7", "members.key.revoked"),
        (facts(revoked_at=NOW - timedelta(days=1)), "192.0.2.7", "members.key.revoked"),
    ],
)
def test_may_use_says_why_not(key: KeyFacts, address: str, reason: str) -> None:
    decision = may_use(key, address=address, now=NOW)

    assert (decision.allowed, decision.reason) == (not reason, reason)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8::1", True),
        ("2001:db8::1%eth0", True),
        ("2001:db9::1", False),
        ("localhost", False),
        ("192.0.2.7, 198.51.100.1", False),
        ("", False),
    ],
)
def test_within_reads_addresses_of_both_kinds(address: str, inside: bool) -> None:
    assert within(address, ["192.0.2.0/24", "2001:db8::/32"]) == inside


def test_scopes_in_force_of_a_key_that_may_only_read_hold_no_writing() -> None:
    assert scopes_in_force(list(Scope), read_only=False) == set(Scope)
    readers = {Scope.DIRECTORY_READ, Scope.EVENTS_READ, Scope.EXCHANGE_READ}
    assert scopes_in_force(list(Scope), read_only=True) == readers


def test_roles_of_a_key_are_an_observers_unless_it_may_write() -> None:
    assert roles_of({Scope.DIRECTORY_READ, Scope.EVENTS_READ}) == {Role.OBSERVER}
    assert roles_of({Scope.EVENTS_WRITE}) == {Role.OBSERVER, Role.ANALYST}
    assert roles_of(set(Scope)) == {Role.OBSERVER, Role.ANALYST, Role.KEEPER}


def test_writing_scopes_are_those_that_say_so() -> None:
    assert set(WRITING) == {scope for scope in Scope if scope.value.endswith(":write")}
