"""API keys: made once, shown once, good within their limits, and refused without a word of why."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from people import AMINA, GRACE, MOUSSA, key_of, person
from tansiq.core.decision import NotAllowed
from tansiq.core.viewer import Role, Scope, Viewer

if TYPE_CHECKING:
    from tansiq.members.actions.keys import NewKey
    from tansiq.members.models import Team

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)
HERE = "192.0.2.7"
SALMA = person("salma", Role.HEAD, team="XA-CERT")


@pytest.fixture
def xa() -> Team:
    from tansiq.members.models import Team

    return Team.objects.create(code="XA-CERT", name_en="CERT of XA", country="XA")


def made(team: Team, name: str = "siem", *, by: Viewer = SALMA, days: float = 30, **more: Any) -> NewKey:
    from tansiq.members.actions.keys import create_key

    more = {"scopes": [Scope.EVENTS_READ]} | more
    return create_key(name, team=team, expires_at=NOW + timedelta(days=days), by=by, now=NOW, **more)


def viewer(secret: str, *, address: str = HERE, now: datetime = NOW) -> Viewer:
    from tansiq.members.key_viewers import viewer_of_key

    return viewer_of_key(secret, address=address, now=now)


def recorded() -> list[str]:
    from tansiq.audit.models import Entry

    return [f"{e.verb} {e.item_id}" for e in Entry.objects.filter(item_kind="key").order_by("number")]


def test_create_key_keeps_a_digest_of_256_random_bits_alone(xa: Team) -> None:
    from tansiq.members.models import ApiKey

    new = made(xa)

    stored = ApiKey.objects.values().get(pk=new.key.pk)
    assert re.fullmatch(r"tansiq_[0-9a-z]{8}_[A-Za-z0-9_-]{43}", new.secret)
    assert new.secret.startswith(f"tansiq_{stored['prefix']}_")
    assert stored["secret_hash"] == hashlib.sha256(new.secret.encode()).hexdigest()
    assert new.secret.rpartition(stored["prefix"])[2] not in str(stored)


def test_create_key_is_recorded_without_its_secret(xa: Team) -> None:
    from tansiq.audit.queries import entries

    new = made(xa, addresses=["192.0.2.0/24"])

    (row,) = entries(SALMA, now=NOW, item=("key", new.key.prefix))
    assert (row.verb, row.who) == ("key.created", "P-SALMA")
    assert row.values == {
        "team_code": "XA-CERT",
        "name": "siem",
        "scopes": ["events:read"],
        "read_only": False,
        "addresses": ["192.0.2.0/24"],
        "expires_at": "2026-03-31T12:34:56.000000Z",
    }


def test_create_key_by_anybody_but_the_head_is_not_allowed(xa: Team) -> None:
    for by in (AMINA, MOUSSA, GRACE, key_of("XA-CERT", *Scope), person("fatou", Role.HEAD, team="XF-CERT")):
        with pytest.raises(NotAllowed):
            made(xa, by=by)


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [
        ("", {}, "members.key.name"),
        ("Two words", {}, "members.key.name"),
        ("a" * 33, {}, "members.key.name"),
        ("name\n", {}, "members.key.name"),
        ("مفتاح", {}, "members.key.name"),
        ("siem", {"scopes": []}, "members.key.scopes"),
        ("siem", {"scopes": ["everything"]}, "members.key.scopes"),
        ("siem", {"scopes": [Scope.EVENTS_WRITE], "read_only": True}, "members.key.scopes"),
        ("siem", {"addresses": ["192.0.2.7/24"]}, "members.key.address_bad"),
        ("siem", {"addresses": ["cert.example"]}, "members.key.address_bad"),
        ("siem", {"addresses": [""]}, "members.key.address_bad"),
        ("siem", {"addresses": ["192.0.2.7"] * 51}, "members.key.addresses_many"),
        ("siem", {"days": 0}, "members.key.expiry"),
        ("siem", {"days": -1}, "members.key.expiry"),
        ("siem", {"days": 367}, "members.key.expiry"),
    ],
)
def test_create_key_of_bad_input_is_refused_and_leaves_nothing(
    xa: Team, name: str, more: dict[str, Any], code: str
) -> None:
    from tansiq.core.errors import TansiqError
    from tansiq.members.models import ApiKey

    with pytest.raises(TansiqError) as refused:
        made(xa, name, **more)

    assert (refused.value.code, refused.value.exit_code) == (code, 2)
    assert (ApiKey.objects.count(), recorded()) == (0, [])


def test_create_key_with_the_name_of_a_revoked_one_is_refused(xa: Team) -> None:
    from tansiq.members.actions.keys import KeyNameTaken, revoke_key

    revoke_key(made(xa).key, by=SALMA, now=NOW)

    with pytest.raises(KeyNameTaken):
        made(xa)


def test_create_key_writes_networks_in_one_form_each_once(xa: Team) -> None:
    new = made(xa, addresses=[" 2001:DB8:0::/32", "192.0.2.7", "192.0.2.7/32"])

    assert new.key.addresses == ["2001:db8::/32", "192.0.2.7/32"]


def test_viewer_of_key_acts_for_its_team_as_an_observer(xa: Team) -> None:
    new = made(xa, scopes=[Scope.EVENTS_READ, Scope.DIRECTORY_READ])

    assert viewer(new.secret) == Viewer(
        team="XA-CERT",
        key="siem",
        roles=frozenset({Role.OBSERVER}),
        scopes=frozenset({Scope.EVENTS_READ, Scope.DIRECTORY_READ}),
    )


def test_viewer_of_key_that_may_write_holds_the_role_for_it(xa: Team) -> None:
    assert viewer(made(xa, scopes=[Scope.EVENTS_WRITE]).secret).roles == {Role.OBSERVER, Role.ANALYST}


def test_viewer_of_key_made_read_only_later_writes_no_more(xa: Team) -> None:
    from tansiq.members.models import ApiKey

    new = made(xa, scopes=[Scope.EVENTS_READ, Scope.EVENTS_WRITE])
    ApiKey.objects.filter(pk=new.key.pk).update(read_only=True)

    assert viewer(new.secret).scopes == {Scope.EVENTS_READ}


def test_viewer_of_key_belongs_to_the_community_when_its_team_does() -> None:
    from tansiq.members.models import Team
    from tansiq.members.queries.periods import memberships_of

    team = Team.objects.get(code="MA-MACERT")
    head = person("hana", Role.HEAD, team="MA-MACERT")
    memberships, community = memberships_of("MA-MACERT", day=NOW.date())

    got = viewer(made(team, by=head).secret)

    assert (got.memberships, got.community) == (memberships, community)


def test_viewer_of_key_refused_for_any_reason_hears_the_same(xa: Team) -> None:
    from tansiq.members.actions.keys import revoke_key
    from tansiq.members.key_viewers import KeyNotValid

    good, revoked = made(xa, addresses=["192.0.2.0/24"]), made(xa, "old")
    revoke_key(revoked.key, by=SALMA, now=NOW)
    wrong = good.secret[:-1] + ("A" if good.secret[-1] != "A" else "B")
    unknown = good.secret.replace(good.key.prefix, "zzzzzzzz")
    attempts = [
        (unknown, HERE, NOW),
        ("", HERE, NOW),
        ("x" * 100_000, HERE, NOW),
        (f"{good.secret}\n", HERE, NOW),
        (wrong, HERE, NOW),
        (good.secret, "198.51.100.7", NOW),
        (good.secret, "", NOW),
        (good.secret, HERE, good.key.expires_at),
        (revoked.secret, HERE, NOW),
    ]

    heard = []
    for secret, address, now in attempts:
        with pytest.raises(KeyNotValid) as refused:
            viewer(secret, address=address, now=now)
        heard.append((refused.value.code, refused.value.values, str(refused.value)))

    assert len(set(map(str, heard))) == 1
    assert recorded()[3:] == [
        "key.refused.unknown unknown",
        f"key.refused.secret {good.key.prefix}",
        f"key.refused.address {good.key.prefix}",
        f"key.refused.expired {good.key.prefix}",
        f"key.refused.revoked {revoked.key.prefix}",
    ]


def test_viewer_of_key_refused_again_is_recorded_once_an_hour(xa: Team) -> None:
    from tansiq.members.key_viewers import KeyNotValid

    for minutes in (0, 1, 59, 60, 61):
        with pytest.raises(KeyNotValid):
            viewer("guessed", now=NOW + timedelta(minutes=minutes))

    assert recorded() == ["key.refused.unknown unknown"] * 2


def test_viewer_of_key_says_to_the_hour_when_it_was_last_used(xa: Team) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tansiq.members.models import ApiKey

    new = made(xa)
    viewer(new.secret)
    with CaptureQueriesContext(connection) as captured:
        viewer(new.secret, now=NOW + timedelta(minutes=20))

    assert ApiKey.objects.get(pk=new.key.pk).last_used_at == NOW.replace(minute=0, second=0)
    assert [query["sql"] for query in captured if not query["sql"].startswith("SELECT")] == []


def test_revoke_key_ends_it_at_once_and_says_so_once(xa: Team) -> None:
    from tansiq.members.actions.keys import revoke_key
    from tansiq.members.key_viewers import KeyNotValid

    new = made(xa)
    revoke_key(new.key, by=GRACE, now=NOW, why="found in a public repository")
    revoke_key(new.key, by=SALMA, now=NOW + timedelta(days=1))

    with pytest.raises(KeyNotValid):
        viewer(new.secret)
    assert new.key.revoked_at == NOW
    assert recorded()[:2] == [f"key.created {new.key.prefix}", f"key.revoked {new.key.prefix}"]


def test_revoke_key_by_an_analyst_is_not_allowed(xa: Team) -> None:
    from tansiq.members.actions.keys import revoke_key

    new = made(xa)

    with pytest.raises(NotAllowed):
        revoke_key(new.key, by=AMINA, now=NOW)
    assert viewer(new.secret).team == "XA-CERT"


def test_keys_of_a_team_are_for_its_head_with_their_state(xa: Team) -> None:
    from tansiq.members.actions.keys import revoke_key
    from tansiq.members.queries.keys import key_of as stored_key
    from tansiq.members.queries.keys import keys_of

    active, short = made(xa, "a"), made(xa, "b", days=1)
    revoke_key(made(xa, "c").key, by=SALMA, now=NOW)
    later = NOW + timedelta(days=2)

    assert [(e.name, e.state) for e in keys_of(SALMA, "XA-CERT", now=later)] == [
        ("a", "active"),
        ("b", "expired"),
        ("c", "revoked"),
    ]
    assert [keys_of(viewer, "XA-CERT", now=later) for viewer in (AMINA, MOUSSA, GRACE)] == [[], [], []]
    assert (stored_key(SALMA, active.key.pk), stored_key(MOUSSA, short.key.pk)) == (active.key, None)


def test_database_refuses_two_keys_of_one_name_and_names_of_another_form(xa: Team) -> None:
    from django.db import IntegrityError, transaction

    from tansiq.members.models import ApiKey

    key = made(xa).key
    for name in (key.name, "Not A Code"):
        again = ApiKey(team=xa, name=name, prefix="aaaaaaaa", secret_hash="x", scopes=[], created_by="x")
        again.created_at, again.expires_at = NOW, NOW + timedelta(days=1)
        with pytest.raises(IntegrityError), transaction.atomic():
            again.save()
