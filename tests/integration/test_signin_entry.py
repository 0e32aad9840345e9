"""The ways in that are used once: sign-in links and invitations."""

from __future__ import annotations

import pytest

from factories import signin as cast
from tansiq.core.viewer import NOBODY, Role, Viewer

pytestmark = pytest.mark.usefixtures("database")

AMINA = "amina@cert.example"


def sign_in_link(somebody) -> str:
    from tansiq.members import actions

    return actions.sign_in_link(somebody, by=cast.SET_UP, now=cast.now())


def invitation(email: str = AMINA) -> str:
    from tansiq.members import actions

    head = Viewer(person="P-SALMA", team="XA-CERT", roles=frozenset({Role.HEAD}))
    team = cast.team_of("XA-CERT")
    return actions.invite(email, post=Role.ANALYST, team=team, by=head, now=cast.now(), name="Amina").token


def test_sign_in_link_is_not_used_by_looking_at_it() -> None:
    token = sign_in_link(cast.person(AMINA))
    scanner, client = cast.browser("198.51.100.7"), cast.browser()

    looks = [scanner.get(f"/enter/{token}/").status_code, scanner.head(f"/enter/{token}/").status_code]
    used = client.post(f"/enter/{token}/")

    assert looks == [200, 200]
    assert (used.status_code, used.headers["Location"]) == (302, "/factor/")


def test_sign_in_link_works_once() -> None:
    token = sign_in_link(cast.person(AMINA))
    cast.browser().post(f"/enter/{token}/")
    client = cast.browser()

    again = client.post(f"/enter/{token}/")

    assert again.status_code == 410
    assert "_auth_user_id" not in client.session


def test_sign_in_link_of_somebody_without_a_factor_is_nobody_yet() -> None:
    token = sign_in_link(cast.person(AMINA))
    client = cast.browser()

    client.post(f"/enter/{token}/")

    assert "_auth_user_id" in client.session
    assert cast.viewer_of(client) == NOBODY


def test_sign_in_link_of_somebody_with_a_factor_asks_for_it() -> None:
    amina = cast.with_app(cast.person(AMINA))
    token = sign_in_link(amina)
    client = cast.browser()

    used = client.post(f"/enter/{token}/")
    before = cast.viewer_of(client)
    cast.try_code(client, cast.code())

    assert used.headers["Location"] == "/account/2fa/authenticate/"
    assert before == NOBODY
    assert cast.viewer_of(client).person == amina.code


def test_sign_in_link_in_somebody_elses_session_ends_that_session() -> None:
    moussa = cast.with_app(cast.person("moussa@cert.example", team="XF-CERT"))
    client = cast.signed_in(moussa)
    amina = cast.person(AMINA)

    client.post(f"/enter/{sign_in_link(amina)}/")

    assert client.session["_auth_user_id"] == str(amina.pk)
    assert cast.viewer_of(client) == NOBODY


def test_page_of_a_link_sends_its_address_to_no_other_host() -> None:
    token = sign_in_link(cast.person(AMINA))

    response = cast.browser().get(f"/enter/{token}/")

    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/enter/unknown/", "/invitation/unknown/"])
def test_unknown_link_says_no_more_than_a_used_one(path: str) -> None:
    response = cast.browser().get(path)

    assert response.status_code == 410


def test_invitation_with_a_password_leads_to_the_factor() -> None:
    from tansiq.members.models import Person

    token = invitation()
    client = cast.browser()

    response = client.post(f"/invitation/{token}/", {"password": cast.PASSWORD, "again": cast.PASSWORD})

    assert response.headers["Location"] == "/factor/"
    assert Person.objects.get(email=AMINA).check_password(cast.PASSWORD)
    assert client.post(f"/invitation/{token}/").status_code == 410


def test_invitation_by_passkey_leaves_the_account_without_a_password() -> None:
    from tansiq.members.models import Person

    client = cast.browser()

    response = client.post(f"/invitation/{invitation()}/", {"way": "passkey"})

    assert response.headers["Location"] == "/factor/"
    assert client.get("/account/2fa/webauthn/add/").status_code == 200
    assert not Person.objects.get(email=AMINA).has_usable_password()


@pytest.mark.parametrize(
    "password, again",
    [
        ("short", "short"),
        ("1qaz2wsx3edc", "1qaz2wsx3edc"),
        ("123456789012345", "123456789012345"),
        ("amina@cert.example", "amina@cert.example"),
        (cast.PASSWORD, "something else"),
    ],
)
def test_invitation_with_a_bad_password_is_not_used(password: str, again: str) -> None:
    token = invitation()
    client = cast.browser()

    refused = client.post(f"/invitation/{token}/", {"password": password, "again": again})
    taken = client.post(f"/invitation/{token}/", {"password": cast.PASSWORD, "again": cast.PASSWORD})

    assert refused.status_code == 200
    assert taken.status_code == 302


def test_first_whole_sign_in_is_when_the_person_joined() -> None:
    from tansiq.members.models import Person

    amina = cast.with_app(cast.person(AMINA))
    before = Person.objects.get(pk=amina.pk).joined_at
    client = cast.signed_in(amina)

    client.get("/whois/")

    assert before is None
    assert Person.objects.get(pk=amina.pk).joined_at is not None
