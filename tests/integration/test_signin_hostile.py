"""What somebody hostile tries at the door."""

from __future__ import annotations

import re
from typing import Any

import pytest

from factories import signin as cast
from tansiq.core.viewer import NOBODY

pytestmark = pytest.mark.usefixtures("database")

AMINA = "amina@cert.example"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "http:evil.example",
        "javascript:alert(1)",
        "/%09/evil.example",
        "https://localhost.evil.example/",
        "https://localhost@evil.example/",
        "http://localhost/whois/",
    ],
)
def test_next_leads_to_no_other_host(address: str) -> None:
    amina = cast.with_app(cast.person(AMINA))
    client = cast.browser()
    cast.try_password(client, amina.email, next=address)

    landed = cast.try_code(client, cast.code()).headers["Location"]

    assert landed in ("/", "/%09/evil.example")


def test_next_leads_to_a_page_of_ours() -> None:
    amina = cast.with_app(cast.person(AMINA))
    client = cast.browser()
    cast.try_password(client, amina.email, next="/whois/?q=192.0.2.1")

    landed = cast.try_code(client, cast.code()).headers["Location"]

    assert landed == "/whois/?q=192.0.2.1"


@pytest.mark.parametrize(
    "path",
    [
        "/account/login/",
        "/account/logout/",
        "/account/password/reset/",
        "/account/2fa/webauthn/login/",
        "/enter/token/",
        "/invitation/token/",
        "/account/settings/",
        "/account/sessions/",
        "/account/sessions/1/end/",
        "/account/2fa/totp/activate/",
        "/account/2fa/totp/deactivate/",
        "/account/2fa/recovery-codes/generate/",
        "/account/2fa/webauthn/add/",
        "/account/password/change/",
        "/account/reauthenticate/",
        "/people/invite/",
        "/people/P-000000/invite-again/",
        "/people/appointments/1/end/",
        "/acting-for",
        "/language",
    ],
)
def test_form_without_its_token_is_refused(path: str) -> None:
    amina = cast.with_app(cast.person(AMINA))
    cookies = cast.signed_in(amina).cookies
    client = cast.browser(enforce_csrf_checks=True)
    client.cookies = cookies

    response = client.post(path, {"login": AMINA, "password": cast.PASSWORD})

    assert response.status_code == 403


def test_session_key_changes_at_every_step_up() -> None:
    amina = cast.with_app(cast.person(AMINA))
    client = cast.browser()
    client.get("/account/login/")
    keys = [client.session.session_key]
    cast.try_password(client, AMINA)
    keys.append(client.session.session_key)
    cast.try_code(client, cast.code())
    keys.append(client.session.session_key)
    assert cast.viewer_of(client).person == amina.code
    keys.append(client.session.session_key)

    assert len({keys[0], keys[2], keys[3]}) == 3
    assert keys[1] != keys[2]


def test_session_fixed_by_somebody_else_is_not_the_one_that_rises() -> None:
    amina = cast.with_app(cast.person(AMINA))
    attacker, victim = cast.browser("198.51.100.1"), cast.browser()
    cast.try_password(attacker, "nobody@cert.example", "x")
    attacker.get("/account/2fa/webauthn/login/", headers={"accept": "application/json"})
    victim.cookies["session"] = attacker.session.session_key
    cast.try_password(victim, AMINA)
    cast.try_code(victim, cast.code())

    assert cast.viewer_of(victim).person == amina.code
    assert cast.viewer_of(attacker) == NOBODY


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "evil.example:8420"])
def test_host_of_somebody_else_is_refused(host: str) -> None:
    response = cast.browser().post("/account/password/reset/", {"email": AMINA}, HTTP_HOST=host)

    assert response.status_code == 400


def test_reset_mail_names_the_portals_address_whatever_host_was_claimed() -> None:
    from django.conf import settings

    from tansiq.notices.models import Mail

    amina = cast.person(AMINA, language="fr")
    client = cast.browser()

    client.post("/account/password/reset/", {"email": AMINA.upper()}, HTTP_HOST="127.0.0.1")

    mail = Mail.objects.get(to=amina.email)
    links = re.findall(r"https?://\S+", mail.text)
    assert [link.startswith(f"{settings.ADDRESS}/account/password/reset/key/") for link in links] == [True]
    assert mail.language == "fr"


def test_new_password_by_mail_ends_old_sessions_and_signs_nobody_in() -> None:
    from tansiq.notices.models import Mail

    amina = cast.with_app(cast.person(AMINA))
    old, client = cast.signed_in(amina), cast.browser()
    client.post("/account/password/reset/", {"email": AMINA})
    link = re.search(r"https?://[^/]+(\S+)", Mail.objects.get(to=AMINA).text).group(1)
    form = client.get(link).headers["Location"]

    answer = client.post(form, {"password1": "eleven blue herons fish", "password2": "eleven blue herons fish"})

    assert answer.status_code == 302
    assert "_auth_user_id" not in client.session
    assert cast.viewer_of(old) == NOBODY
    again = cast.try_password(cast.browser(), AMINA, "eleven blue herons fish")
    assert again.headers["Location"] == "/account/2fa/authenticate/"


def test_sign_in_answers_the_same_whether_the_address_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """And hashes a password as often, which is most of the time that it takes."""
    cast.person(AMINA)
    hashed = hashing_counted(monkeypatch)
    pages, hashings = {}, {}

    for email in (AMINA, "unknown@cert.example"):
        client = cast.browser()
        client.get("/account/login/")
        hashed.clear()
        response = cast.try_password(client, email, "not the password")
        hashings[email] = len(hashed)
        pages[email] = (response.status_code, stripped(response.content.decode(), email))

    assert pages[AMINA] == pages["unknown@cert.example"]
    assert hashings == {AMINA: 1, "unknown@cert.example": 1}


def hashing_counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one each time Argon2 is worked out, whether to keep what it gives or to compare it."""
    from django.contrib.auth.hashers import Argon2PasswordHasher as Argon2

    hashed: list[str] = []
    for name in ("encode", "verify"):
        kept = getattr(Argon2, name)

        def counted(self: Any, *given: Any, name: str = name, kept: Any = kept, **named: Any) -> Any:
            hashed.append(name)
            return kept(self, *given, **named)

        monkeypatch.setattr(Argon2, name, counted)
    return hashed


def test_reset_answers_the_same_whether_the_address_is_known() -> None:
    cast.person(AMINA)

    answers = {
        email: cast.browser().post("/account/password/reset/", {"email": email})
        for email in (AMINA, "unknown@cert.example")
    }

    known, unknown = (
        (answer.status_code, answer.headers["Location"], stripped(answer.content.decode(), email))
        for email, answer in answers.items()
    )
    assert known == unknown


def test_session_cookie_is_for_the_browser_and_this_site_alone() -> None:
    cast.person(AMINA)
    client = cast.browser()

    cookie = cast.try_password(client, AMINA).cookies["session"]

    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")


def test_sign_out_ends_the_session_on_the_node_too() -> None:
    amina = cast.with_app(cast.person(AMINA))
    client, copy = cast.signed_in(amina), cast.browser()
    before = cast.viewer_of(client).person
    copy.cookies = client.cookies.copy()

    client.post("/account/logout/")

    assert before == amina.code
    assert cast.viewer_of(copy) == NOBODY


def test_other_sessions_can_be_ended_one_by_one_but_not_those_of_others() -> None:
    from allauth.usersessions.models import UserSession

    amina = cast.with_app(cast.person(AMINA))
    moussa = cast.with_app(cast.person("moussa@cert.example", team="XF-CERT"))
    here = cast.signed_in(amina)
    there = cast.browser("203.0.113.9")
    cast.try_password(there, AMINA)
    cast.try_code(there, cast.recovery_codes(amina)[0])
    theirs = cast.signed_in(moussa, "198.51.100.4")
    for client in (here, there, theirs):
        assert cast.viewer_of(client) != NOBODY
    other = UserSession.objects.get(user=amina, ip="203.0.113.9")
    foreign = UserSession.objects.get(user=moussa)

    ended = here.post(f"/account/sessions/{other.pk}/end/")
    refused = here.post(f"/account/sessions/{foreign.pk}/end/")

    assert (ended.status_code, refused.status_code) == (303, 404)
    assert cast.viewer_of(there) == NOBODY
    assert cast.viewer_of(theirs).person == moussa.code
    assert cast.viewer_of(here).person == amina.code


def test_pages_of_the_account_hold_no_script_or_style_within() -> None:
    amina = cast.with_app(cast.person(AMINA))
    client = cast.signed_in(amina)
    paths = [
        "/account/2fa/",
        "/account/2fa/webauthn/",
        "/account/2fa/webauthn/add/",
        "/account/2fa/webauthn/reauthenticate/",
        "/account/2fa/reauthenticate/",
        "/account/2fa/recovery-codes/",
        "/account/2fa/recovery-codes/generate/",
        "/account/2fa/totp/deactivate/",
        "/account/password/change/",
        "/account/reauthenticate/",
        "/account/sessions/",
        "/account/settings/",
        "/account/logout/",
    ]

    pages = {path: client.get(path) for path in paths}
    pages |= {path: cast.browser().get(path) for path in ("/account/login/", "/account/password/reset/")}

    found = {path: (page.status_code, within(page.content.decode())) for path, page in pages.items()}
    wanted = {path: (200, []) for path in pages} | {"/account/2fa/webauthn/reauthenticate/": (302, [])}
    assert found == wanted


def test_deployed_with_an_address_of_its_own_nothing_is_warned_of(run_python) -> None:
    program = "import django; django.setup(); from django.core.management import call_command as c;"
    program += "c('check', deploy=True, fail_level='WARNING')"
    environment = {
        "DJANGO_SETTINGS_MODULE": "tansiq.settings",
        "TANSIQ_ADDRESS": "https://portal.cert.example",
        "TANSIQ_SECRET_KEY": "k" * 30 + "0123456789abcdefghijklmnopqrstuv",
    }

    result = run_python(program, **environment)

    assert (result.returncode, result.stdout) == (0, "System check identified no issues (0 silenced).\n")


def test_node_that_asks_for_no_second_factor_is_warned_of(run_python) -> None:
    program = "import django; django.setup(); from django.core.management import call_command as c; c('check')"

    result = run_python(program, DJANGO_SETTINGS_MODULE="tansiq.settings", TANSIQ_SECOND_FACTOR="optional")

    assert result.returncode == 0
    assert "(signin.W001) TANSIQ_SECOND_FACTOR is optional: whoever steals a password is let in." in result.stderr


@pytest.mark.parametrize(
    "name, value, told",
    [
        ("TANSIQ_SECOND_FACTOR", "no", "TANSIQ_SECOND_FACTOR is no, which is not required | optional."),
        ("TANSIQ_PROXIES", "proxy", "is proxy, which is not of a form such as 10.0.0.0/8, 2001:db8::1."),
        ("TANSIQ_EXCHANGE_MAIL", "foo", "is foo, which is not of a form such as exchange@cert.example."),
        ("TANSIQ_OIDC_ISSUER", "http://login.example", "TANSIQ_OIDC_ISSUER is http://login.example, which is not"),
        ("TANSIQ_OIDC_ISSUER", "https://login.example", "TANSIQ_OIDC_CLIENT_ID is '', which is not set"),
    ],
)
def test_setting_that_cannot_be_understood_is_refused_by_name(run_python, name: str, value: str, told: str) -> None:
    program = "from tansiq.settings import BadSetting"

    result = run_python(program, **{name: value})

    assert result.returncode == 1
    assert told in result.stderr


def within(page: str) -> list[str]:
    """Scripts that run, styles and handlers that stand in the page itself."""
    return re.findall(r"<script(?![^>]*(?:src=|application/json))[^>]*>|<style|\sstyle=|\son[a-z]+=\"", page)


def stripped(page: str, email: str) -> str:
    """Without what differs from request to request, or repeats what was typed."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page).replace(email, "")
