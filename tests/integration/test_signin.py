"""Who is let in, with what, and what a session is worth before the second factor."""

from __future__ import annotations

import pytest

from factories import signin as cast
from tansiq.core.viewer import NOBODY, Role, Viewer

pytestmark = pytest.mark.usefixtures("database")

AMINA = "amina@cert.example"


def test_password_alone_of_somebody_without_a_factor_is_nobody_and_led_to_choose_one() -> None:
    cast.person(AMINA)
    client = cast.browser()

    response = cast.try_password(client, AMINA)

    assert response.headers["Location"] == "/factor/"
    assert client.get("/factor/").status_code == 200
    assert cast.viewer_of(client) == NOBODY


@pytest.mark.parametrize(
    "path",
    [
        "/account/2fa/",
        "/account/2fa/recovery-codes/",
        "/account/2fa/webauthn/",
        "/account/password/change/",
        "/account/sessions/",
    ],
)
def test_half_signed_in_session_is_turned_away_from_every_page_of_the_account(path: str) -> None:
    cast.person(AMINA)
    client = cast.browser()
    cast.try_password(client, AMINA)

    response = client.get(path)

    assert (response.status_code, response.headers["Location"]) == (302, "/factor/")


def test_password_and_code_is_the_person_acting_for_the_team() -> None:
    amina = cast.with_app(cast.person(AMINA, Role.ANALYST))

    client = cast.signed_in(amina)

    assert cast.viewer_of(client) == Viewer(person=amina.code, team="XA-CERT", roles=frozenset({Role.ANALYST}))


def test_password_of_somebody_with_a_factor_opens_no_session_before_the_code() -> None:
    cast.with_app(cast.person(AMINA))
    client = cast.browser()

    cast.try_password(client, AMINA)

    assert "_auth_user_id" not in client.session
    assert cast.viewer_of(client) == NOBODY


def test_password_and_recovery_code_is_the_person_and_the_code_works_once() -> None:
    amina = cast.with_app(cast.person(AMINA))
    code = cast.recovery_codes(amina)[0]
    first, second = cast.browser(), cast.browser()

    for client in (first, second):
        cast.try_password(client, AMINA)
    cast.try_code(first, code)
    refused = cast.try_code(second, code)

    assert cast.viewer_of(first).person == amina.code
    assert refused.status_code == 200
    assert cast.viewer_of(second) == NOBODY


def test_code_of_the_app_shown_twice_is_refused_the_second_time() -> None:
    amina = cast.with_app(cast.person(AMINA))
    code = cast.code()
    first, second = cast.browser(), cast.browser()

    for client in (first, second):
        cast.try_password(client, AMINA)
    cast.try_code(first, code)
    refused = cast.try_code(second, code)

    assert cast.viewer_of(first).person == amina.code
    assert refused.status_code == 200
    assert cast.viewer_of(second) == NOBODY


def test_app_set_up_in_a_half_signed_in_session_counts_only_after_a_fresh_challenge() -> None:
    amina = cast.person(AMINA)
    client = cast.browser()
    cast.try_password(client, AMINA)

    enrolled = enrol(client, cast.code())
    before = cast.viewer_of(client)
    replayed = client.post("/account/2fa/reauthenticate/", {"code": cast.code(), "next": "/factor/"})
    proved = client.post("/account/2fa/reauthenticate/", {"code": cast.code(1), "next": "/factor/"})

    assert enrolled.headers["Location"] == "/account/2fa/recovery-codes/"
    assert client.get("/factor/").headers["Location"] == "/account/2fa/recovery-codes/"
    assert before == NOBODY
    assert (replayed.status_code, proved.status_code) == (200, 302)
    assert cast.viewer_of(client).person == amina.code


def test_recovery_codes_are_not_shown_before_the_fresh_challenge() -> None:
    cast.person(AMINA)
    client = cast.browser()
    cast.try_password(client, AMINA)
    enrol(client, cast.code())

    response = client.get("/account/2fa/recovery-codes/")

    assert (response.status_code, response.headers["Location"]) == (302, "/factor/")


def test_half_signed_in_session_sets_up_nothing_once_the_person_has_a_factor() -> None:
    amina = cast.person(AMINA)
    stolen = cast.browser()
    cast.try_password(stolen, AMINA)
    cast.with_app(amina)

    answers = [stolen.get(path) for path in ("/account/2fa/webauthn/add/", "/account/2fa/totp/activate/")]

    assert [answer.headers["Location"] for answer in answers] == ["/factor/", "/factor/"]
    assert cast.viewer_of(stolen) == NOBODY


def test_last_factor_cannot_be_removed() -> None:
    amina = cast.with_app(cast.person(AMINA))
    client = cast.signed_in(amina)

    client.post("/account/2fa/totp/deactivate/")

    from tansiq.web.signin.factor import has_factor

    assert has_factor(amina.pk)


def test_recovery_codes_are_shown_once() -> None:
    from allauth.mfa.models import Authenticator

    amina = cast.with_app(cast.person(AMINA))
    Authenticator.objects.filter(user=amina, type="recovery_codes").update(data={})
    kept = Authenticator.objects.get(user=amina, type="recovery_codes")
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    kept.delete()
    RecoveryCodes.activate(amina)
    codes = cast.recovery_codes(amina)
    client = cast.signed_in(amina)

    first = client.get("/account/2fa/recovery-codes/").content.decode()
    second = client.get("/account/2fa/recovery-codes/").content.decode()

    assert all(code in first for code in codes)
    assert not any(code in second for code in codes)


def test_closed_account_is_not_let_in() -> None:
    amina = cast.person(AMINA)
    amina.is_active = False
    amina.save()
    client = cast.browser()

    response = cast.try_password(client, AMINA)

    assert "_auth_user_id" not in client.session
    assert response.headers["Location"] == "/account/inactive/"


def test_nobody_signs_up_by_themselves() -> None:
    client = cast.browser()

    answers = [client.post(path) for path in ("/account/signup/", "/account/3rdparty/signup/", "/account/email/")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


def enrol(client, code: str):
    """Set up an app with the key that the test knows."""
    client.get("/account/2fa/totp/activate/")
    session = client.session
    session["mfa.totp.secret"] = cast.SECRET
    session.save()
    return client.post("/account/2fa/totp/activate/", {"code": code})
