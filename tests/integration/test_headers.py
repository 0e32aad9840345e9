"""Addresses, methods, headers and bodies that no browser of a person sends: refused in words, and never broken by."""

from __future__ import annotations

import io

import pytest

from factories import signin
from factories.federation import Federation
from tansiq.web.headers import HEADERS

ABSURD = (
    "/%00",
    "/teams/%00/",
    "/teams/%ff%fe/",
    "/teams/" + "A" * 20_000 + "/",
    "//evil.example",
    "//evil.example/%2e%2e/",
    "/\\evil.example",
    "/teams/../../etc/passwd",
    "/teams/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/static/../settings.py",
    "/static/%2e%2e/settings.py",
    "/whois/?target=%00",
    "/whois/?target=%ff",
    "/whois/?target=" + "9" * 5000,
    "/whois.json?target=%00",
    "/teams/?page=-1&search=%00&country=%F0%9F%92%A9",
    "/teams/?page=" + "9" * 400,
    "/teams/XA-CERT/contacts/" + "9" * 400 + "/",
    "/people/?team=%00",
    "/account/login/?next=//evil.example",
    "/audit/?before=" + "9" * 40 + "&item=%00&since=0000-00-00",
)


@pytest.mark.parametrize("who", ["nobody", "grace"])
@pytest.mark.parametrize("path", ABSURD, ids=range(len(ABSURD)))
def test_absurd_address_is_answered_and_leads_nowhere_else(there: Federation, who: str, path: str) -> None:
    response = there.ask(who, "get", path)

    assert response.status_code < 500 or (response.status_code, path[:11]) == (503, "/whois.json")
    assert not response.headers.get("Location", "").startswith(("//", "http", "/\\"))
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost@evil.example", "localhost:8420:1", "[::1", "a b", "x" * 5000]
)
def test_host_that_is_not_ours_is_refused_on_every_kind_of_page(there: Federation, host: str) -> None:
    answers = [
        there.ask("nobody", "get", path, HTTP_HOST=host).status_code
        for path in ("/", "/teams/", "/account/login/", "/api/v1/teams", "/whois.json", "/nothing-here")
    ]

    assert answers == [400] * 6


def test_host_claimed_by_a_proxys_header_is_not_believed(there: Federation) -> None:
    page = there.ask("nobody", "get", "/", HTTP_X_FORWARDED_HOST="evil.example").content.decode()

    assert "evil.example" not in page


KINDS = (
    "text/plain",
    "application/json",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "application/xml",
    "x",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["/account/login/", "/teams/XA-CERT/contacts/", "/teams/XA-CERT/keys/", "/language"])
def test_body_of_another_kind_is_no_form(there: Federation, path: str, kind: str) -> None:
    response = there.clients["salma"].generic("POST", path, b'{"a": 1}\xff\x00' * 50, content_type=kind)

    assert response.status_code in (200, 302, 400, 403, 404, 422)


def test_ten_thousand_fields_are_refused(there: Federation) -> None:
    many = {f"field{number}": "1" for number in range(10_000)}

    response = there.ask("nobody", "post", "/account/login/", data=many)

    assert response.status_code == 400
    assert "<h1" in response.content.decode()


@pytest.mark.parametrize("megabytes", [3, 10])
def test_form_of_megabytes_is_refused_with_a_page(there: Federation, megabytes: int) -> None:
    response = there.ask("salma", "post", "/teams/XA-CERT/contacts/", data={"value": "x" * (megabytes << 20)})

    assert response.status_code in (400, 413)
    assert "<h1" in response.content.decode()


@pytest.mark.parametrize("path", ["/teams/XA-CERT/keys/", "/register/import/"])
def test_file_of_ten_megabytes_is_refused_with_a_page(there: Federation, path: str) -> None:
    who = "grace" if "register" in path else "salma"
    file = io.BytesIO(b"\x00" * (10 << 20))
    file.name = "../../etc/passwd\r\nX: 1.toml"

    response = there.ask(who, "post", path, data={"file": file, "statement": "", "armored": ""})

    assert response.status_code in (400, 413, 422)
    assert "<h1" in response.content.decode()


def test_cookies_of_nonsense_are_a_guests(there: Federation) -> None:
    client = signin.browser()
    client.cookies.load({"session": "\x7f" * 3000, "language": "../../x", "csrf": "%00", "messages": "[[[["})

    response = client.get("/")

    assert response.status_code == 200
    assert response.wsgi_request.viewer.nobody


@pytest.mark.parametrize(
    "name", ["HTTP_ACCEPT_LANGUAGE", "HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_X_FORWARDED_FOR", "HTTP_AUTHORIZATION"]
)
@pytest.mark.parametrize("value", ["\x00", "é" * 9000, "a," * 5000, "-", "ar;q=x,en;q=-1", "Bearer "])
def test_header_of_nonsense_breaks_nothing(there: Federation, name: str, value: str) -> None:
    answers = [there.ask("nobody", "get", path, **{name: value}).status_code for path in ("/", "/api/v1/teams")]

    assert [status for status in answers if status >= 500] == []


def test_person_is_told_in_their_language_why_a_page_is_refused(there: Federation) -> None:
    response = there.ask("fatou", "get", "/register/")

    assert response.status_code == 403
    assert '<html lang="fr"' in response.content.decode()


def test_node_with_an_address_of_its_own_tells_browsers_to_stay_with_https(run_python) -> None:
    program = """
from tansiq.cli import node; node.opened(pages=True)
from django.test import Client
client = Client(HTTP_HOST="portal.example")
print(client.get("/teams/").headers["Location"], client.get("/teams/").headers.get("Content-Security-Policy", "")[:18])
answer = client.get("/account/login/", secure=True, HTTP_X_FORWARDED_PROTO="https")
print(answer.headers["Strict-Transport-Security"], *(cookie.output() for cookie in answer.cookies.values()))
"""
    done = run_python(program, TANSIQ_ADDRESS="https://portal.example")

    moved, kept = done.stdout.splitlines()
    assert moved == "https://portal.example/teams/ default-src 'none'"
    assert kept.startswith("max-age=31536000; includeSubDomains; preload Set-Cookie: __Host-csrf=")
    assert "; Secure" in kept and "; HttpOnly" in kept
