"""Coming in for the first time and coming back, in a browser: passkeys on its virtual authenticator, codes, links."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Iterator
from itertools import count

import pytest
from browsing import Opener, SignIn, Site, findings
from playwright.sync_api import Page, expect

from factories import signin

numbers = count(1)
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
INVITE = """
import sys
from tansiq.cli import node; node.opened(pages=True)
from datetime import UTC, datetime
from tansiq.core.viewer import Role, Viewer
from tansiq.members import actions
from tansiq.members.models import Team
head = Viewer(person="P-SALMA", team="XA-CERT", roles=frozenset({Role.HEAD}))
team = Team.objects.get(code="XA-CERT")
invited = actions.invite(
    sys.argv[1], post=Role.ANALYST, team=team, by=head, now=datetime.now(UTC), name="Newcomer", language=sys.argv[2]
)
print(invited.token)
"""


@pytest.fixture
def invitation(site: Site) -> Iterator[object]:
    """``invitation("ar")``: the path of an invitation for somebody new who reads that language, and their address."""

    def invitation(language: str) -> tuple[str, str]:
        email = f"newcomer{next(numbers)}@cert.example"
        made = site.run("-c", INVITE, email, language)
        assert made.returncode == 0, made.stderr
        return f"/invitation/{made.stdout.strip()}/", email

    yield invitation


def authenticator(page: Page, **changed: bool) -> None:
    """A device of the browser's own that keeps passkeys and asks who holds it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR | changed})
    page.authenticator = session, made["authenticatorId"]


def passkeys(page: Page) -> list[dict[str, object]]:
    session, authenticator_id = page.authenticator
    return session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator_id})["credentials"]


def press(page: Page, form: str) -> None:
    page.locator(f"{form} button[type=submit]").click()


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_invited_by_passkey_keeps_codes_signs_out_and_comes_back_with_the_passkey(
    open_page: Opener, invitation, language: str
) -> None:
    path, email = invitation(language)
    page = open_page(locale=language)
    authenticator(page)
    page.goto(path)
    press(page, "form:has(input[name=way])")
    expect(page).to_have_url("http://" + page.url.split("/")[2] + "/factor/")
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    page.locator("a[href='/account/2fa/webauthn/add/']").click()

    press(page, "form[data-passkey=create]")
    page.wait_for_url("**/factor/")
    page.locator("a[href*='webauthn/reauthenticate']").click()
    press(page, "form[data-passkey=get]")
    page.wait_for_url("**/account/2fa/recovery-codes/")
    codes = page.locator(".codes li").all_inner_texts()
    page.locator("main a[href='/factor/']").click()
    page.wait_for_selector("header.bar details.menu bdi")
    page.goto("/account/logout/")
    press(page, "main form")
    page.wait_for_url("**/account/login/")
    press(page, "form[data-passkey=login]")
    page.wait_for_selector("header.bar details.menu bdi")

    assert len(codes) == 10
    assert [key["isResidentCredential"] for key in passkeys(page)] == [True]
    page.goto("/account/settings/")
    expect(page.locator("main")).to_contain_text(email)


def test_invited_by_password_sets_up_an_app_and_is_let_in_after_the_next_code(open_page: Opener, invitation) -> None:
    path, _email = invitation("en")
    page = open_page()
    page.goto(path)
    page.fill("input[name=password]", signin.PASSWORD)
    page.fill("input[name=again]", signin.PASSWORD)
    press(page, "form:has(input[name=again])")
    page.locator("a[href='/account/2fa/totp/activate/']").click()
    page.wait_for_url("**/account/2fa/totp/activate/")
    secret = page.locator("main .tech").inner_text()
    page.fill("input[name=code]", at(secret, 0))
    press(page, "form:has(input[name=code])")
    page.wait_for_url("**/factor/")

    page.locator("a[href*='/account/2fa/reauthenticate/']").click()
    page.fill("input[name=code]", at(secret, 1))
    press(page, "form:has(input[name=code])")
    page.wait_for_url("**/account/2fa/recovery-codes/")
    page.locator("main a[href='/factor/']").click()

    page.wait_for_selector("header.bar details.menu bdi")


def test_authenticator_that_does_not_ask_who_holds_it_is_not_taken(open_page: Opener, invitation) -> None:
    path, _email = invitation("en")
    page = open_page()
    authenticator(page, isUserVerified=False)
    page.goto(path)
    press(page, "form:has(input[name=way])")
    page.locator("a[href='/account/2fa/webauthn/add/']").click()

    press(page, "form[data-passkey=create]")

    expect(page.locator("[data-passkey-trouble]")).to_be_visible()
    assert passkeys(page) == []


def test_guest_without_a_passkey_is_told_so(open_page: Opener) -> None:
    page = open_page()
    authenticator(page)
    page.goto("/account/login/")
    expect(page.locator("[data-passkey-trouble]")).to_be_hidden()

    press(page, "form[data-passkey=login]")

    expect(page.locator("[data-when=refused]")).to_be_visible()


def test_half_signed_in_sees_the_pages_of_guests(open_page: Opener, invitation) -> None:
    path, email = invitation("en")
    page = open_page()
    page.goto(path)
    press(page, "form:has(input[name=way])")
    page.wait_for_url("**/factor/")

    page.goto("/")

    assert email not in page.content()
    assert page.locator("header.bar details.menu bdi").count() == 0


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_pages_on_the_way_in_have_nothing_that_axe_finds(open_page: Opener, invitation, language: str) -> None:
    path, _email = invitation(language)
    page = open_page(locale=language)
    found = {}

    for step in (path, "/account/login/", "/account/password/reset/", "/enter/gone/"):
        page.goto(step)
        found[step] = findings(page)
    page.goto(path)
    press(page, "form:has(input[name=way])")
    page.wait_for_url("**/factor/")
    for step in ("/factor/", "/account/2fa/webauthn/add/", "/account/2fa/totp/activate/"):
        page.goto(step)
        found[step] = findings(page)

    assert {step: said for step, said in found.items() if said} == {}


@pytest.mark.parametrize("name", ["hanan", "moussa", "grace"])
def test_pages_of_the_account_have_nothing_that_axe_finds(sign_in: SignIn, name: str) -> None:
    page = sign_in(name)
    paths = ["/account/settings/", "/account/2fa/", "/account/2fa/webauthn/", "/account/sessions/"]
    if name != "moussa":
        paths.append("/people/")
    found = {}

    for path in paths:
        page.goto(path)
        found[path] = findings(page)

    assert {path: said for path, said in found.items() if said} == {}


def test_keyboard_alone_signs_in(open_page: Opener) -> None:
    page = open_page()
    page.goto("/account/login/")

    page.locator("input[name=login]").focus()
    page.keyboard.type("nobody@cert.example")
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")

    expect(page.locator("main .errorlist")).to_be_visible()


def at(secret: str, steps: int) -> str:
    """What the app shows ``steps`` half minutes from now."""
    digest = hmac.digest(base64.b32decode(secret), (int(time.time()) // 30 + steps).to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"
