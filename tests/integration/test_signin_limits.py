"""How fast one may guess, and that nobody is shut out by others' guesses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from factories import signin as cast
from tansiq.core.viewer import NOBODY

pytestmark = pytest.mark.usefixtures("database")

MOUSSA = "moussa@cert.example"


def failed(address: str) -> None:
    from tansiq.web.signin import limits

    limits.spend(limits.keys_of(address), now=cast.now())


def officer():
    return cast.with_app(cast.person(MOUSSA, team="XF-CERT"))


def test_thousand_failures_from_one_address_do_not_stop_the_officer_from_another() -> None:
    moussa = officer()
    attacker = cast.browser("198.51.100.66")

    answers = [cast.try_password(attacker, MOUSSA, f"wrong {n}").status_code for n in range(1000)]
    client = cast.signed_in(moussa, "192.0.2.10")

    assert 10 <= answers.count(200) <= 20
    assert answers.count(429) == 1000 - answers.count(200)
    assert cast.viewer_of(client).person == moussa.code


def test_address_that_fails_is_told_when_to_come_back() -> None:
    officer()
    attacker = cast.browser("198.51.100.66")
    for n in range(11):
        cast.try_password(attacker, MOUSSA, f"wrong {n}")

    refused = cast.try_password(attacker, MOUSSA)

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 2
    assert "_auth_user_id" not in attacker.session


def test_neighbour_in_the_same_network_is_not_slowed_by_one_address() -> None:
    moussa = officer()
    attacker = cast.browser("192.0.2.66")
    for n in range(40):
        cast.try_password(attacker, MOUSSA, f"wrong {n}")

    client = cast.signed_in(moussa, "192.0.2.10")

    assert cast.viewer_of(client).person == moussa.code


def test_many_addresses_of_one_network_are_slowed_together() -> None:
    for n in range(100):
        failed(f"198.51.100.{n}")

    answer = cast.try_password(cast.browser("198.51.100.200"), "nobody@cert.example", "x")

    assert answer.status_code == 429


def test_addresses_of_one_ipv6_subnet_are_one_address() -> None:
    for n in range(10):
        failed(f"2001:db8:0:1::{n:x}")

    same = cast.try_password(cast.browser("2001:db8:0:1::ffff"), "nobody@cert.example", "x")
    other = cast.try_password(cast.browser("2001:db8:0:2::1"), "nobody@cert.example", "x")

    assert (same.status_code, other.status_code) == (429, 200)


def test_wrong_codes_by_a_botnet_slow_unknown_networks_but_not_the_persons_own() -> None:
    from tansiq.web.signin import limits

    moussa = officer()
    cast.signed_in(moussa, "192.0.2.10").get("/whois/")
    for n in range(50):
        limits.spend(limits.keys_of_code(moussa.pk, f"198.51.{n}.1"), now=cast.now())
    own, foreign = cast.browser("192.0.2.99"), cast.browser("203.0.113.5")
    for client in (own, foreign):
        cast.try_password(client, MOUSSA)
    codes = cast.recovery_codes(moussa)

    known, unknown = cast.try_code(own, codes[0]), cast.try_code(foreign, codes[1])

    assert (known.status_code, unknown.status_code) == (302, 429)
    assert cast.viewer_of(own).person == moussa.code
    assert cast.viewer_of(foreign) == NOBODY


def test_right_password_costs_nothing() -> None:
    from tansiq.web.signin.models import Pressure

    cast.person(MOUSSA, team="XF-CERT")

    for _ in range(3):
        cast.try_password(cast.browser(), MOUSSA)

    assert set(Pressure.objects.values_list("failures", flat=True)) == {0}


def test_asking_for_a_new_password_again_and_again_fills_no_mailbox() -> None:
    from tansiq.notices.models import Mail

    cast.person(MOUSSA, team="XF-CERT")

    answers = {cast.browser().post("/account/password/reset/", {"email": MOUSSA}).status_code for _ in range(30)}

    assert answers == {302}
    assert Mail.objects.filter(to=MOUSSA).count() == 3


def test_limits_are_forgotten_after_days() -> None:
    from tansiq.web.signin import limits
    from tansiq.web.signin.models import Pressure

    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    limits.spend(limits.keys_of("192.0.2.1"), now=now)

    assert limits.forget(now=now + timedelta(days=1)) == 0
    assert limits.forget(now=now + timedelta(days=3)) == 2
    assert not Pressure.objects.exists()
