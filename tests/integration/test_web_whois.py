"""Who answers for this? As a page and as JSON: the answers of the command line, and what a guest may see."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEAM = """
[[team]]
code = "XA-CERT"
name = { en = "CERT of XA", ar = "فريق XA", fr = "CERT de XA" }
contacts = [ { kind = "email", value = "cert@xa.example", role = "duty officer", hours = "24x7" } ]
claims = { country = ["XA"], cidr = ["192.0.2.0/24"], asn = [64496], domain = ["xa.example"] }
"""


@pytest.fixture
def client() -> Any:
    from django.conf import settings
    from django.test import Client

    from tansiq.members.actions import import_statement
    from tansiq.members.statement import read
    from tansiq.workers.tables import refresh

    import_statement(read(TEAM), now=NOW)
    refresh(settings.HOME)
    return Client(headers={"host": "localhost", "accept-language": "en"})


@pytest.mark.parametrize(
    ("target", "way"),
    [("192.0.2.7", "cidr"), ("192.0.2.0/25", "cidr"), ("AS64496", "asn"), ("https://www.xa.example/a", "domain")],
)
def test_whois_json_is_the_command_lines_answer(client: Any, target: str, way: str) -> None:
    from django.conf import settings

    from tansiq.attribution.whois import Whois

    book = Whois.open(settings.HOME.tables)
    assert book is not None
    expected = book.answer(target, now=NOW) | {"contacts": []}  # this team publishes none

    answer = client.get("/whois.json", {"target": target})

    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(expected))
    assert answer.json()["attributed_by"] == way


def test_whois_json_of_nonsense_names_it_and_the_remedy(client: Any) -> None:
    answer = client.get("/whois.json", {"target": "not a thing"})

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "attribution.target.bad"
    assert "not a thing" in answer.json()["error"]["message"]


def test_whois_page_says_who_and_why_without_a_clickable_indicator(client: Any) -> None:
    page = client.get("/whois/", {"target": "https://www.xa.example/login"}).content.decode()

    assert "CERT of XA" in page
    assert "the team answers for the domain xa.example" in page
    assert "hxxps[:]//www[.]xa[.]example/login" in page
    assert "cert@xa.example" not in page


def test_whois_page_escapes_what_was_asked(client: Any) -> None:
    page = client.get("/whois/", {"target": "<script>alert(1)</script>"})

    assert page.status_code == 400
    assert b"<script>alert" not in page.content


def test_whois_page_in_arabic_is_right_to_left(client: Any) -> None:
    page = client.get("/whois/", {"target": "XA"}, headers={"accept-language": "ar"}).content.decode()

    assert '<html lang="ar" dir="rtl"' in page
    assert "فريق XA" in page
