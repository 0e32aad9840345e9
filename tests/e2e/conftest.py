"""A node in processes of its own, and a browser that people sign in with as they do: by password and code."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Opener, SignIn, Site, code
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from factories import signin

HERE = Path(__file__).resolve().parent
CHROMIUM = "/usr/bin/chromium"
PATIENCE_SECONDS = 60
expect.set_options(timeout=30_000)
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site") / "home"
    site = made_ready(home, free_port())
    log = (home.parent / "web.log").open("w")
    server = subprocess.Popen([sys.executable, "-m", "tansiq", "web"], env=site.environment, stdout=log, stderr=log)
    try:
        wait_for(site, server, log.name)
        yield site
    finally:
        server.terminate()
        server.wait(timeout=30)
        log.close()


def made_ready(home: Path, port: int, *, program: str = "seed.py", out: Path | None = None) -> Site:
    """A node that ``program`` has seeded; what that says goes to ``out``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TANSIQ_", "DJANGO_"))}
    environment = kept | {"TANSIQ_HOME": str(home), "TANSIQ_LANGUAGE": "en", "TANSIQ_PORT": str(port)}
    with (out or Path(os.devnull)).open("w") as said:
        subprocess.run([sys.executable, str(HERE / program)], env=environment, stdout=said, check=True, timeout=120)
    return Site(f"http://localhost:{port}", home, environment)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(site: Site, server: subprocess.Popen[bytes], log: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{site.address}/whois/", timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"the portal does not answer:\n{Path(log).read_text()}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"Chromium is not installed at {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()


@pytest.fixture
def open_page(site: Site, browser: Browser) -> Iterator[Opener]:
    """``open_page(locale="ar", color_scheme="dark", width=360, storage_state=…)``: a page of a browser of its own.

    Whatever the browser complains about (a script's error, something that the policy of the portal forbids) fails the
    test at its end; an answer of 4xx or 5xx is the test's own business.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(*, locale: str = "en", width: int = 1280, height: int = 900, **named: Any) -> Page:
        named = {"base_url": site.address, **named}
        context = browser.new_context(locale=locale, viewport={"width": width, "height": height}, **named)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if serious(said.type, said.text) else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def serious(kind: str, text: str) -> bool:
    return kind == "error" and not text.startswith("Failed to load resource: the server responded with a status of")


@pytest.fixture
def page(open_page: Opener) -> Page:
    """A guest's, who reads English."""
    return open_page()


@pytest.fixture
def sign_in(site: Site, open_page: Opener) -> SignIn:
    """``sign_in("amina")``: a page of hers, wholly signed in; a name of seed.PEOPLE; the rest is ``open_page``'s."""

    def sign_in(name: str, **named: Any) -> Page:
        if name not in site.kept:
            page = open_page()
            with_password_and_code(page, name)
            site.kept[name] = page.context.storage_state()
        return open_page(storage_state=site.kept[name], **named)

    return sign_in


def with_password_and_code(page: Page, name: str) -> None:
    """As the person does it: the form, then the code that the app shows."""
    page.goto("/account/login/")
    page.fill("input[name=login]", f"{name}@cert.example")
    page.fill("input[name=password]", signin.PASSWORD)
    page.locator("form:has(input[name=password]) button[type=submit]").click()
    page.wait_for_url("**/account/2fa/authenticate/**")
    page.fill("input[name=code]", code(signin.SECRET))
    page.locator("form:has(input[name=code]) button[type=submit]").click()
    page.wait_for_selector("header.bar details.menu bdi")
