"""The links in a browser: readable to everybody's senses in three languages, and worked by keyboard."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from browsing import Opener, Site, findings
from playwright.sync_api import Page, expect
from test_walk_browser import by_keyboard

from conftest import free_port, made_ready, wait_for, with_password_and_code
from factories import postgres

PAGES = [
    "/exchange/",
    "/exchange/links/XE/",
    "/exchange/links/XM/",
    "/exchange/waiting/",
    "/exchange/waiting/?state=refused",
    "/exchange/waiting/1/",
    "/exchange/recalls/",
    "/checks/",
]
HELD_PAGES = ["/whois/?target=XE", "/teams/", "/teams/XA-CERT/", "/map/", "/exchange/"]


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("linked") / "home"
    site = made_ready(home, free_port(), program="seed_links.py")
    log = (home.parent / "web.log").open("w")
    server = subprocess.Popen([sys.executable, "-m", "tansiq", "web"], env=site.environment, stdout=log, stderr=log)
    try:
        wait_for(site, server, log.name)
        yield site
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def entered(linked: Site, open_page: Opener, name: str, **named: object) -> Page:
    """Signed in at this node, not at the one that the other tests share."""
    if name not in linked.kept:
        page = open_page(base_url=linked.address)
        with_password_and_code(page, name)
        linked.kept[name] = page.context.storage_state()
    return open_page(base_url=linked.address, storage_state=linked.kept[name], **named)


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("ar", "dark", 1280), ("ar", "light", 360), ("en", "light", 360), ("fr", "dark", 360)],
)
def test_pages_have_nothing_that_axe_finds_and_scroll_one_way(
    linked: Site, open_page: Opener, language: str, scheme: str, width: int
) -> None:
    postgres.execute(linked.home, f"UPDATE members_person SET language = '{language}'")
    page = entered(linked, open_page, "hanan", color_scheme=scheme, width=width)

    found = {}
    for path in PAGES:
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if on_page := findings(page):
            found[path] = on_page

    assert found == {}


def test_guests_pages_have_nothing_that_axe_finds(linked: Site, open_page: Opener) -> None:
    page = entered(linked, open_page, "moussa", locale="fr")

    found = {}
    for path in ("/exchange/", "/exchange/links/XE/", "/exchange/waiting/", "/exchange/recalls/"):
        page.goto(path)
        found[path] = findings(page)

    assert found == {path: [] for path in found}


def test_every_link_of_the_picture_is_reached_by_keyboard_and_leads_to_its_page(
    linked: Site, open_page: Opener
) -> None:
    page = entered(linked, open_page, "hanan")
    page.goto("/exchange/")
    assert by_keyboard(page) == []

    page.locator(".spokes a[href='/exchange/links/XM/']").focus()
    page.keyboard.press("Enter")

    page.wait_for_url("**/exchange/links/XM/")
    expect(page.locator("h1")).to_contain_text("XM")


def test_marks_of_different_states_differ_in_shape(linked: Site, open_page: Opener) -> None:
    page = entered(linked, open_page, "hanan")
    page.goto("/exchange/")

    shapes = page.locator(".spokes a g").evaluate_all("marks => marks.map(mark => mark.innerHTML.trim())")

    assert len(set(shapes)) == 7


def test_words_of_the_picture_do_not_cover_one_another_in_arabic(linked: Site, open_page: Opener) -> None:
    postgres.execute(linked.home, "UPDATE members_person SET language = 'ar'")
    page = entered(linked, open_page, "hanan")
    page.goto("/exchange/")

    boxes = page.locator(".spokes a :is(text, .shape), .spokes .centre").evaluate_all(
        "all => all.map(one => { const b = one.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
    )

    covered = [
        (one, other)
        for number, one in enumerate(boxes)
        for other in boxes[:number]
        if min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 4
    ]
    assert len(boxes) == 7 * 3 + 1
    assert covered == []


def test_head_ends_an_alarm_by_keyboard(linked: Site, open_page: Opener) -> None:
    page = entered(linked, open_page, "hanan")
    page.goto("/exchange/")
    expect(page.locator("form[action*='/exchange/alarms/']")).to_have_count(2)

    page.locator("form[action*='/exchange/alarms/'] button").first.focus()
    page.keyboard.press("Enter")

    expect(page.locator(".notice.success")).to_have_count(1)
    expect(page.locator("form[action*='/exchange/alarms/']")).to_have_count(1)


def pressed(page: Page, button: str) -> None:
    """By keyboard."""
    page.focus(button)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("name", ["hanan", "amina"])
def test_comparison_is_asked_for_by_keyboard(linked: Site, open_page: Opener, name: str) -> None:
    page = entered(linked, open_page, name)
    page.goto("/exchange/links/XE/")

    pressed(page, "form[action$='/compare/'] button")

    expect(page.locator(".notice.success")).to_have_count(1)
    assert findings(page) == []


def test_what_waits_is_tried_again_and_then_refused_by_keyboard(linked: Site, open_page: Opener) -> None:
    page = entered(linked, open_page, "hanan")
    page.goto("/exchange/waiting/?state=quarantined")
    row = page.locator("tr", has_text="XE-CERT:case.7f43")
    expect(row).to_have_count(1)

    pressed(page, "form[action$='/retry/'] button")
    expect(page.locator(".notice.success")).to_have_count(1)
    expect(row).to_have_count(1)  # it waits on, and its reason is said
    pressed(page, "form[action$='/refuse/'] button")

    expect(row).to_have_count(0)
    expect(page.locator(".notice.success")).to_have_count(1)
    page.goto("/exchange/waiting/?state=refused")
    expect(row).to_have_count(1)
    expect(row.locator("button")).to_have_count(0)
    assert findings(page) == []


def test_check_of_another_node_is_answered_by_keyboard_from_the_first_page(linked: Site, open_page: Opener) -> None:
    page = entered(linked, open_page, "amina")
    page.goto("/")
    pressed(page, "a[href='/checks/']")
    page.wait_for_url("**/checks/")
    expect(page.locator("tbody tr")).to_have_count(1)

    pressed(page, "form[action$='/seen/'] button")

    expect(page.locator(".notice.success")).to_have_count(1)
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator(".empty")).to_have_count(1)
    assert findings(page) == []


@pytest.fixture(scope="module")
def held(linked: Site) -> Site:
    done = linked.run("exchange", "restore", "--yes")
    assert done.returncode == 0, done.stderr
    return linked


@pytest.mark.parametrize(
    ("language", "scheme", "width"), [("ar", "light", 360), ("ar", "dark", 1280), ("fr", "light", 360)]
)
def test_held_node_says_so_on_pages_in_which_axe_finds_nothing(
    held: Site, open_page: Opener, language: str, scheme: str, width: int
) -> None:
    postgres.execute(held.home, f"UPDATE members_person SET language = '{language}'")
    page = entered(held, open_page, "hanan", color_scheme=scheme, width=width)

    found = {}
    for path in HELD_PAGES:
        page.goto(path)
        expect(page.locator(".notice.warn").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        if on_page := findings(page):
            found[path] = on_page

    assert found == {}


def test_head_of_a_held_node_says_why_not_to_wait_for_a_peer_by_keyboard(held: Site, open_page: Opener) -> None:
    page = entered(held, open_page, "hanan")
    page.goto("/exchange/links/XG/")
    assert findings(page) == []

    page.focus("input[name=reason]")
    page.keyboard.type("Away until May")
    page.keyboard.press("Enter")

    expect(page.locator(".notice.success")).to_have_count(1)
    expect(page.locator("input[name=reason]")).to_have_count(0)
    assert findings(page) == []
