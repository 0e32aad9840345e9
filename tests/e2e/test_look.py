"""The frame of every page and the page of components, in a browser."""

from __future__ import annotations

import re

import pytest
from browsing import Opener, SignIn, Site, findings
from playwright.sync_api import Page, expect

LANGUAGES = ("en", "fr", "ar")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["/look/", "/whois/", "/account/login/", "/nothing-here"])
def test_page_in_any_language_and_theme_has_nothing_that_axe_finds(
    open_page: Opener, path: str, language: str, scheme: str
) -> None:
    page = open_page(locale=language, color_scheme=scheme)

    page.goto(path)

    assert findings(page) == []


def test_axe_on_a_page_with_a_picture_that_says_nothing_finds_it(page: Page) -> None:
    page.goto("/whois/")

    page.evaluate("document.querySelector('main').append(new Image())")

    assert findings(page) == ["image-alt: #main > img"]


@pytest.mark.parametrize("path", ["/look/", "/whois/", "/account/login/", "/nothing-here"])
def test_page_on_a_small_screen_scrolls_one_way_only(open_page: Opener, path: str) -> None:
    page = open_page(locale="ar", width=360, height=740)

    page.goto(path)

    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("name", ["amina", "moussa", "grace"])
def test_menu_of_a_person_when_open_has_nothing_that_axe_finds(sign_in: SignIn, name: str) -> None:
    page = sign_in(name, width=360)
    page.goto("/whois/")

    page.locator("details.menu summary").last.click()

    expect(page.locator("details.menu .sheet").last).to_be_visible()
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_language_switch_by_a_guest_comes_back_to_the_same_page_turned_round(page: Page) -> None:
    page.goto("/whois/?q=192.0.2.7")

    page.locator("details.menu summary").click()
    page.get_by_role("button", name="العربية").click()

    expect(page.locator("html[lang=ar][dir=rtl]")).to_have_count(1)
    assert page.url.endswith("/whois/?q=192.0.2.7")


def test_language_switch_by_a_person_is_kept_with_the_person(sign_in: SignIn) -> None:
    page = sign_in("rached")
    page.goto("/whois/")
    expect(page.locator("html")).to_have_attribute("lang", "ar")

    page.locator("details.menu summary").first.click()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")

    other = sign_in("rached", locale="fr")
    other.goto("/whois/")
    expect(other.locator("html")).to_have_attribute("lang", "en")


def test_menu_when_escape_is_pressed_closes_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/whois/")
    page.locator("details.menu summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("details.menu .sheet")).to_be_visible()

    page.keyboard.press("Escape")

    expect(page.locator("details.menu .sheet")).to_be_hidden()
    expect(page.locator("details.menu summary")).to_be_focused()


def test_first_tab_on_a_page_offers_to_skip_to_the_content(page: Page) -> None:
    page.goto("/look/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_markers_of_small_states_are_large_enough_and_apart(page: Page) -> None:
    page.goto("/look/")

    boxes = page.locator(".world .dot").evaluate_all(
        "dots => dots.map(dot => { const b = dot.getBoundingClientRect(); return [b.x + b.width / 2, b.y, b.width]; })"
    )

    assert len(boxes) == 15
    assert min(width for _x, _y, width in boxes) >= 24
    apart = [((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5 for i, (ax, ay, _) in enumerate(boxes) for bx, by, _ in boxes[:i]]
    assert min(apart) >= 24


def test_state_on_the_map_is_reached_by_keyboard_under_its_name(page: Page) -> None:
    page.goto("/look/")
    bahrain = page.get_by_role("link", name="Bahrain", exact=True)

    bahrain.focus()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("#BH$"))


def test_page_loads_nothing_from_another_host(page: Page, site: Site) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto("/look/")
    page.wait_for_load_state("networkidle")

    assert asked
    assert [url for url in asked if not url.startswith((site.address, "data:"))] == []
