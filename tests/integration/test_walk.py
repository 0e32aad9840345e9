"""Every address of the portal, as every kind of person, in three languages: what is answered, and how the page is made.

``walk_access.txt`` is the reviewed truth of who gets what: a change in it is a decision about access. To write it anew
after one: ``make golden``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from factories import english, federation, markup, portal
from factories.federation import EVERYBODY, Federation
from tansiq.web.headers import POLICY

TABLE = Path(__file__).with_name("walk_access.txt")
LANGUAGES = ("ar", "en", "fr")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
REFERENCES = {"https://www.first.org/tlp/"}
"""What pages refer the reader to elsewhere; nothing is loaded from there."""
ABSURD = ("", "\x00", "٣" * 5000, "-1", "9" * 20, "'\"><svg onload=1>", "2026-13-45", "../../etc/passwd")

FEW = ["salma", "grace"]  # between them they see every form
REST = [pytest.param(who, marks=pytest.mark.long) for who in EVERYBODY if who not in FEW]


def expected() -> dict[str, dict[str, str]]:
    """Address -> person -> answer, as the table says."""
    head, *rows = [line.split() for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    return {row[0]: dict(zip(head, row[1:], strict=True)) for row in rows}


def answer(response: Any) -> str:
    """The status; of those sent elsewhere, whether it is to sign in or to prove the second factor."""
    address = urlsplit(response.headers.get("Location", "")).path
    return {"/account/login/": "login", "/factor/": "factor"}.get(address, str(response.status_code))


def walked(there: Federation, who: str, language: str) -> list[tuple[portal.Place, Any]]:
    """Every address and what it answers; asked once a language, for all tests of this module."""
    if (who, language) not in there.walks:
        spoken_to(there, who, language)
        there.walks[who, language] = [
            (place, there.ask(who, "get", place.path)) for place in portal.places(there.values)
        ]
    return there.walks[who, language]


def own_language(who: str) -> str:
    return federation.PEOPLE[who][2] if who in federation.PEOPLE else "en"


def spoken_to(there: Federation, who: str, language: str) -> None:
    from tansiq.members.models import Person

    if who in there.people:
        Person.objects.filter(pk=there.people[who].pk).update(language=language)
    there.clients[who].cookies["language"] = language


@pytest.mark.parametrize("who", EVERYBODY)
def test_every_address_answers_as_the_table_says(there: Federation, who: str, pytestconfig: pytest.Config) -> None:
    said = {place.name: answer(response) for place, response in walked(there, who, own_language(who))}

    if pytestconfig.getoption("--regenerate", default=False):
        write(who, said)
    assert said == {name: row[who] for name, row in expected().items()}


@pytest.mark.parametrize("who", EVERYBODY)
def test_every_page_is_well_made_in_the_persons_language(there: Federation, who: str) -> None:
    found = troubles(there, who, own_language(who))

    assert found == [], "\n".join(found)


@pytest.mark.long
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", EVERYBODY)
def test_every_page_is_well_made_in_every_language(there: Federation, who: str, language: str) -> None:
    found = troubles(there, who, language)

    assert found == [], "\n".join(found)


def test_walk_sees_what_is_wrong_with_a_page() -> None:
    page = markup.read(
        '<html lang="ar" dir="rtl"><p id="a">Skip to the content<p id="a" style="x"><bdi dir="ltr">AS64496</bdi>'
        '<a href="//evil.example">x</a><form method="post"><input name="q"></form><script>1</script><i onclick="x">'
    )

    assert sorted(of_page(page, "ar")) == [
        "a form without a token",
        "double id: a",
        "inline: <i onclick>",
        "inline: <p style>",
        "inline: <script>1",
        "not ar: Skip to the content",
        "of another host: //evil.example",
    ]


@pytest.mark.parametrize("who", EVERYBODY)
def test_every_address_refuses_a_post_that_another_site_could_have_sent(there: Federation, who: str) -> None:
    answers = Counter(
        (place.name, answer(there.ask(who, "post", place.path, strict=True)))
        for place in portal.places(there.values)
        if not place.path.startswith("/api/")
    )

    told = {status for _name, status in answers}
    assert told <= ({"403", "factor"} if who == federation.HALF else {"403"})


@pytest.mark.parametrize("who", FEW + REST)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options", "head", "trace"])
def test_every_address_knows_what_to_do_with_every_method(there: Federation, who: str, method: str) -> None:
    answers = [there.ask(who, method, place.path).status_code for place in portal.places(there.values)]

    assert [status for status in answers if status >= 500 and status != 503] == []


@pytest.mark.parametrize("who", FEW + REST)
@pytest.mark.parametrize("value", ABSURD, ids=range(len(ABSURD)))
def test_every_address_takes_any_value_of_any_field(there: Federation, who: str, value: str) -> None:
    fields = fields_of(there, who)

    answers = [
        (place.name, there.ask(who, "post", place.path, data=dict.fromkeys(fields, value)).status_code)
        for place in portal.places(there.values)
    ]

    assert [told for told in answers if told[1] >= 500] == []


def fields_of(there: Federation, who: str) -> list[str]:
    """Names of all fields of all forms that the person sees."""
    names = set()
    for _place, response in walked(there, who, own_language(who)):
        if is_page(response):
            for form in markup.read(response.content.decode()).forms:
                names.update(form.fields)
    return sorted(names - {"", "csrfmiddlewaretoken"})


def troubles(there: Federation, who: str, language: str) -> list[str]:
    found = []
    for place, response in walked(there, who, language):
        said = list(of_headers(response, who))
        if is_page(response):
            said += of_page(markup.read(response.content.decode()), language)
        found += [f"{place.name}: {trouble}" for trouble in said]
    return found


def of_headers(response: Any, who: str) -> Iterable[str]:
    for name, value in HEADERS.items():
        if response.headers.get(name) != value:
            yield f"{name} is {response.headers.get(name)}"
    if response.headers.get("Referrer-Policy") not in ("same-origin", "no-referrer"):
        yield f"Referrer-Policy is {response.headers.get('Referrer-Policy')}"
    if who in federation.PEOPLE and "no-store" not in response.headers.get("Cache-Control", ""):
        yield f"Cache-Control is {response.headers.get('Cache-Control')}"


def is_page(response: Any) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html") and bool(response.content)


def of_page(page: markup.Page, language: str) -> list[str]:
    found = [f"inline: {what}" for what in page.inline]
    found += [f"of another host: {address}" for address in page.other_hosts() if address not in REFERENCES]
    found += [f"double id: {name}" for name, times in Counter(page.ids).items() if times > 1]
    if (page.root.get("lang"), page.root.get("dir")) != (language, "rtl" if language == "ar" else "ltr"):
        found.append(f"the page says lang {page.root.get('lang')}, dir {page.root.get('dir')}")
    if any(form.method == "post" and "csrfmiddlewaretoken" not in form.fields for form in page.forms):
        found.append("a form without a token")
    return found + [f"not {language}: {words}" for words in english.left_over(page.own_words(), language)]


def write(who: str, said: dict[str, str]) -> None:
    """One column of the table anew."""
    table = expected() if TABLE.exists() else {}
    rows = {name: {**table.get(name, dict.fromkeys(EVERYBODY, "?")), who: status} for name, status in said.items()}
    width = max(map(len, rows))
    lines = [f"{'':{width}} " + " ".join(f"{one:>7}" for one in EVERYBODY)]
    lines += [f"{name:{width}} " + " ".join(f"{row[one]:>7}" for one in EVERYBODY) for name, row in rows.items()]
    note = "# Status of GET; login: sent to sign in; factor: sent to prove the second factor; ids are XA-CERT's.\n"
    TABLE.write_text(note + "\n".join(lines) + "\n")
