"""The desk in a browser: a head keeps her team's entry, the Secretariat the register; every page is open to everybody's
senses."""

from __future__ import annotations

import time

import pytest
from browsing import SignIn, findings
from playwright.sync_api import Page, expect

OF_THE_HEAD = [
    "/teams/XA-CERT/",
    "/teams/XA-CERT/contacts/",
    "/teams/XA-CERT/duty/",
    "/teams/XA-CERT/keys/",
    "/teams/XA-CERT/claims/",
    "/teams/XA-CERT/rfc2350/edit/",
    "/teams/XA-CERT/rfc2350/edit/3.1/",
    "/teams/XA-CERT/rfc2350/preview/ar/",
    "/audit/",
    "/sharing/preview/",
]
OF_THE_SECRETARIAT = [
    "/register/",
    "/register/import/",
    "/teams/XA-CERT/contacts/",
    "/teams/XA-CERT/claims/",
    "/teams/XA-CERT/membership/",
    "/audit/",
]


def found_on(page: Page, paths: list[str]) -> dict[str, list[str]]:
    found = {}
    for path in paths:
        page.goto(path)
        if on_page := findings(page):
            found[path] = on_page
    return found


@pytest.mark.parametrize("width", [1280, 360])
def test_pages_of_the_head_have_nothing_for_axe_to_find_in_arabic(sign_in: SignIn, width: int) -> None:
    page = sign_in("hanan", width=width)

    assert found_on(page, OF_THE_HEAD) == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_the_secretariat_have_nothing_for_axe_to_find(sign_in: SignIn, scheme: str) -> None:
    page = sign_in("grace", color_scheme=scheme)

    assert found_on(page, OF_THE_SECRETARIAT) == {}


def test_head_adds_confirms_and_removes_a_contact_in_arabic(sign_in: SignIn) -> None:
    page = sign_in("hanan")
    page.goto("/teams/XA-CERT/contacts/")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")

    page.fill("#id_value", "night@xa.example")
    page.locator("form:has(#id_value) button[type=submit]").click()
    expect(page.locator("td, th").filter(has_text="night@xa.example").first).to_be_visible()
    page.locator("form[action$='/contacts/confirm/'] button").click()
    expect(page.locator(".notice.success")).to_have_count(1)
    page.locator("tr", has_text="night@xa.example").get_by_role("link").click()
    page.locator("form[action$='/remove/'] button").click()

    expect(page.locator(".notice.success")).to_have_count(1)
    expect(page.get_by_text("night@xa.example")).to_have_count(0)


def test_head_plans_a_shift_by_keyboard_alone(sign_in: SignIn) -> None:
    page = sign_in("hanan")
    page.goto("/teams/XA-CERT/duty/")
    page.fill("#id_since", "2031-01-01T08:00")
    page.fill("#id_until", "2031-01-01T20:00")

    page.focus("form:has(#id_since) button[type=submit]")
    page.keyboard.press("Enter")

    expect(page.locator(".lines time")).to_have_count(2)
    page.locator("form[action*='/duty/'][action$='/end/'] button").click()
    expect(page.locator(".lines")).to_have_count(0)


def test_head_writes_and_publishes_a_profile_that_a_guest_reads(sign_in: SignIn, page: Page) -> None:
    head = sign_in("hanan")
    head.goto("/teams/XA-CERT/rfc2350/edit/3.1/")
    head.fill("#id_ar", "حماية الفضاء السيبراني")
    head.locator("form.panel button.primary").click()
    head.locator("form[action$='/publish/'] button").click()

    page.goto("/teams/XA-CERT/rfc2350/")

    expect(page.locator("[lang=ar]", has_text="حماية الفضاء السيبراني")).to_be_visible()
    assert findings(page) == []


def test_analyst_asks_who_will_see_it_by_keyboard_alone_in_arabic(sign_in: SignIn) -> None:
    page = sign_in("amina")
    page.goto("/")
    page.locator("header.bar a[href='/sharing/preview/']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/sharing/preview/")

    page.focus("input[name=marking-tlp]:checked")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.focus("input[name=marking-teams][value=XF-CERT]")
    page.keyboard.press("Space")
    page.focus("button[hx-post]")
    page.keyboard.press("Enter")

    expect(page.locator("#audience th[scope=row] .tech")).to_have_text(["XA-CERT", "XF-CERT"])
    expect(page.locator("#audience .tlp")).to_have_text("TLP:AMBER")
    expect(page.locator("input[name=marking-tlp]")).to_have_count(5)  # the part was swapped, not the page
    page.keyboard.press("Control+Home")  # what the bar covers has no size for axe
    until = time.monotonic() + 10
    while page.evaluate("scrollY") and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert findings(page) == []


def test_preview_of_a_bad_marking_says_what_is_wrong_without_leaving_the_page(sign_in: SignIn) -> None:
    page = sign_in("amina")
    page.goto("/sharing/preview/")
    page.fill("#id_marking-others", "P/NO")

    page.locator("button[hx-post]").click()

    expect(page.locator("#audience [role=alert]")).to_contain_text("P/NO")
    expect(page.locator("#id_marking-others")).to_have_value("P/NO")
    assert findings(page) == []


def test_preview_works_without_script(sign_in: SignIn) -> None:
    page = sign_in("amina", java_script_enabled=False)
    page.goto("/sharing/preview/")
    page.check("input[name=marking-tlp][value='TLP:AMBER+STRICT']")

    page.locator("button[hx-post]").click()

    expect(page.locator("#audience .tlp").first).to_have_text("TLP:AMBER+STRICT")
    expect(page.locator("h1")).to_have_count(1)
