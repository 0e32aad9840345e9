"""Every page in a browser: nothing that axe-core finds, and all of it by keyboard."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsing import Opener, SignIn, Site, findings
from playwright.sync_api import Page

from conftest import free_port, wait_for
from factories import postgres

HERE = Path(__file__).resolve().parent
PUBLIC = ["/", "/account/login/", "/teams/", "/teams/XA-CERT/", "/map/", "/whois/", "/look/"]
LANGUAGES = ["ar", "en", "fr"]
TABS_MOST = 400

REACHABLE = """() => {
    const kinds = 'a[href], button, input, select, textarea, summary, [tabindex]';
    const drawn = ['outlineStyle', 'outlineWidth', 'boxShadow', 'stroke', 'strokeWidth', 'fill', 'backgroundColor'];
    window.looks = one => [one, ...one.querySelectorAll('*')].map(part => {
        const style = getComputedStyle(part);
        return drawn.map(name => style[name]).join();
    }).join();
    window.unfocused = new Map();
    document.activeElement.blur();
    let number = 0;
    for (const one of document.querySelectorAll(kinds)) {
        if (one.disabled || one.type === 'hidden' || one.tabIndex < 0 || !one.checkVisibility()) continue;
        one.dataset.tab = one.type === 'radio' ? 'radio ' + one.name : 'tab' + number++;
        window.unfocused.set(one, window.looks(one));
    }
    return [...new Set([...window.unfocused.keys()].map(one => one.dataset.tab))];
}"""
FOCUSED = """() => {
    const one = document.activeElement;
    return [one.dataset.tab || '', window.unfocused.get(one) !== window.looks(one), one.outerHTML.slice(0, 120)];
}"""
"""The stop that has the focus (radio buttons of a group are one), whether that shows, and its markup."""


@dataclass
class Walked:
    """A node of its own with the federation of the walk. pages: name, path, and who sees most of it."""

    site: Site
    pages: list[dict[str, str]]
    sessions: dict[str, str]

    def speak(self, language: str) -> None:
        postgres.execute(self.site.home, f"UPDATE members_person SET language = '{language}'")

    def kept(self, who: str) -> Any:
        if who not in self.sessions:
            return None
        cookie: dict[str, Any] = {"name": "session", "value": self.sessions[who], "domain": "localhost", "path": "/"}
        return {
            "cookies": [{**cookie, "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"}],
            "origins": [],
        }


@pytest.fixture(scope="session")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    from conftest import made_ready

    home, port = tmp_path_factory.mktemp("walked") / "home", free_port()
    site = made_ready(home, port, program="walked.py", out=(out := home.parent / "walked.json"))
    log = (home.parent / "web.log").open("w")
    server = subprocess.Popen([sys.executable, "-m", "tansiq", "web"], env=site.environment, stdout=log, stderr=log)
    try:
        wait_for(site, server, log.name)
        yield Walked(site, **json.loads(out.read_text()))
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_public_pages_have_nothing_that_axe_finds(open_page: Opener, language: str) -> None:
    page = open_page(locale=language, width=360)

    assert found_on(page, PUBLIC) == {}


def test_pages_of_a_person_have_nothing_that_axe_finds(sign_in: SignIn) -> None:
    page = sign_in("hanan", color_scheme="dark")

    assert found_on(page, ["/", "/teams/XA-CERT/", "/people/", "/account/2fa/", "/account/settings/"]) == {}


@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_is_worked_by_keyboard(page: Page, path: str) -> None:
    page.goto(path)

    assert by_keyboard(page) == []


@pytest.mark.long
@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_has_nothing_that_axe_finds(
    walked: Walked, open_page: Opener, language: str, scheme: str, width: int
) -> None:
    walked.speak(language)
    found = {}
    for who in sorted({page["who"] for page in walked.pages}):
        page = open_page(
            base_url=walked.site.address,
            locale=language,
            color_scheme=scheme,
            width=width,
            storage_state=walked.kept(who),
        )
        found |= found_on(page, [seen["path"] for seen in walked.pages if seen["who"] == who])

    assert found == {}


@pytest.mark.long
@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_is_worked_by_keyboard(walked: Walked, open_page: Opener, language: str) -> None:
    walked.speak(language)
    trouble = {}
    for who in sorted({page["who"] for page in walked.pages}):
        page = open_page(base_url=walked.site.address, locale=language, storage_state=walked.kept(who))
        for seen in walked.pages:
            if seen["who"] == who:
                page.goto(seen["path"])
                trouble[seen["name"]] = by_keyboard(page)

    assert {name: said for name, said in trouble.items() if said} == {}


def found_on(page: Page, paths: list[str]) -> dict[str, list[str]]:
    """Path -> what axe finds there, where it finds anything."""
    found = {}
    for path in paths:
        page.goto(path)
        if said := findings(page):
            found[path] = said
    return found


def by_keyboard(page: Page) -> list[str]:
    """What the tab key does not reach, where it does not show, and whether it is caught."""
    wanted = set(page.evaluate(REACHABLE))
    reached: set[str] = set()
    trouble = []
    for _time in range(TABS_MOST):
        if reached >= wanted:
            break
        page.keyboard.press("Tab")
        tab, shows, markup = page.evaluate(FOCUSED)
        if tab and not shows and tab not in reached:
            trouble.append(f"focus does not show: {markup}")
        reached |= {tab} - {""}
    missed = page.evaluate(
        "missed => missed.map(tab => document.querySelector(`[data-tab='${tab}']`).outerHTML.slice(0, 120))",
        sorted(wanted - reached),
    )
    return trouble + [f"not reached: {markup}" for markup in missed]
