"""The language switch, acting for another team, the words for values, and pages that cannot be had."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from factories import signin
from tansiq.core.hijri import HijriDate, PrintedDate
from tansiq.core.text import Text
from tansiq.core.viewer import Role

pytestmark = pytest.mark.usefixtures("database")

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "whois/",
    "",
    "\t//evil.example",
]


@pytest.mark.parametrize("wish", ELSEWHERE)
def test_language_switch_that_would_lead_elsewhere_leads_home(wish: str) -> None:
    response = signin.browser().post("/language", {"language": "ar", "next": wish})

    assert (response.status_code, response.headers["Location"]) == (303, "/")


def test_language_switch_by_a_guest_is_kept_in_a_cookie_and_leads_back() -> None:
    browser = signin.browser()

    response = browser.post("/language", {"language": "ar", "next": "/whois/?q=AS64496"})

    assert response.headers["Location"] == "/whois/?q=AS64496"
    assert browser.get("/whois/", HTTP_ACCEPT_LANGUAGE="fr").headers["Content-Language"] == "ar"


def test_language_switch_by_a_person_is_kept_with_the_person() -> None:
    moussa = signin.with_app(signin.person("moussa@cert.example", language="fr"))

    signin.signed_in(moussa).post("/language", {"language": "en", "next": "/whois/"})

    moussa.refresh_from_db()
    assert moussa.language == "en"


@pytest.mark.parametrize("wish", ["", "de", "ar\n", "AR"])
def test_language_that_is_not_ours_is_refused(wish: str) -> None:
    assert signin.browser().post("/language", {"language": wish}).status_code == 400


def test_language_switch_by_a_link_is_refused() -> None:
    assert signin.browser().get("/language?language=ar").status_code == 405


def test_acting_for_another_team_of_ones_own_changes_the_viewer() -> None:
    amina = signin.with_app(signin.person("amina@cert.example", Role.ANALYST))
    also(amina, "XF-CERT")
    browser = signin.signed_in(amina)
    before = signin.viewer_of(browser).team

    response = browser.post("/acting-for", {"team": "XF-CERT", "next": "/whois/"})

    assert (response.status_code, response.headers["Location"]) == (303, "/whois/")
    assert (before, signin.viewer_of(browser).team) == ("XA-CERT", "XF-CERT")


def test_acting_for_a_team_that_is_not_ones_own_is_refused() -> None:
    amina = signin.with_app(signin.person("amina@cert.example"))
    signin.team_of("XF-CERT")
    browser = signin.signed_in(amina)

    response = browser.post("/acting-for", {"team": "XF-CERT"})

    assert (response.status_code, signin.viewer_of(browser).team) == (400, "XA-CERT")


def test_acting_for_a_team_by_somebody_not_signed_in_leads_to_the_sign_in() -> None:
    response = signin.browser().post("/acting-for", {"team": "XA-CERT"})

    assert (response.status_code, response.headers["Location"]) == (302, "/account/login/")


@pytest.mark.parametrize(
    ("template", "written"),
    [
        ("{% tech value %}", '<bdi dir="ltr" class="tech">&lt;b&gt;</bdi>'),
        ("{% defanged 'https://gov.example/a' %}", '<bdi dir="ltr" class="tech">hxxps[:]//gov[.]example/a</bdi>'),
        ("{% words only_french %}", '<bdi lang="fr" dir="ltr">Équipe &lt;3</bdi> '
         '<span class="badge quiet" lang="fr" dir="ltr">Français</span>'),
        ("{% words both %}", "<bdi>Team</bdi>"),
        ("{% words nothing %}", "<bdi></bdi>"),
        ("{% when moment %}", '<time datetime="2026-02-18T21:40:00+00:00"><span>18 Feb 2026, 21:40</span> '
         '<span class="zone">UTC</span></time>'),
        ("{% day printed %}", '<time datetime="2011-06-28"><span>28 Jun 2011</span> '
         '<span class="hijri" title="as printed in the document">(24 Rajab 1432 AH)</span></time>'),
        ("{% day plain %}", '<time datetime="2026-02-18"><span>18 Feb 2026</span></time>'),
        ("{% with hijri=1 %}{% day plain %}{% endwith %}",
         '<time datetime="2026-02-18"><span>18 Feb 2026</span> <span class="hijri" '
         'title="reckoned by the Umm al-Qura calendar">(1 Ramadan 1447 AH)</span></time>'),
        ("{% day nothing %}{% when nothing %}{{ nothing|number }}", ""),
        ("{% tlp 'amber+strict' %}", '<bdi dir="ltr" class="tlp amber" title="the recipient&#x27;s organisation only">'
         'TLP:AMBER+STRICT</bdi>'),
        ("{{ many|number }}", "12,345"),
    ],
)  # fmt: skip
def test_tag_writes_a_value_for_an_english_reader(template: str, written: str) -> None:
    assert rendered(template) == written


@pytest.mark.parametrize(("path", "method", "status"), [("/nothing-here", "get", 404), ("/language", "post", 400)])
@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("en", "ltr"), ("fr", "ltr")])
def test_page_that_cannot_be_had_is_told_in_the_readers_language(
    path: str, method: str, status: int, language: str, direction: str
) -> None:
    response = getattr(signin.browser(), method)(path, HTTP_ACCEPT_LANGUAGE=language)

    assert response.status_code == status
    assert f'<html lang="{language}" dir="{direction}"' in response.content.decode()


def test_form_without_its_token_is_refused_with_advice() -> None:
    response = signin.browser(enforce_csrf_checks=True).post("/language", {"language": "ar"})

    assert (response.status_code, "load the page again" in response.content.decode()) == (403, True)


def test_page_of_a_fault_asks_neither_session_nor_database(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connections
    from django.test import RequestFactory

    from tansiq.web import errors

    with monkeypatch.context() as patched:
        patched.setattr(connections["default"], "ensure_connection", unreachable)
        patched.setattr(connections["default"], "cursor", unreachable)
        response = errors.broken(RequestFactory().get("/", HTTP_ACCEPT_LANGUAGE="ar"))

    assert (response.status_code, 'dir="rtl"' in response.content.decode()) == (500, True)


def test_field_with_a_mistake_is_tied_to_the_words_about_it() -> None:
    from tansiq.web.look import forms

    html = str(forms.mistaken("x"))

    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="x-mistaken-name_helptext x-mistaken-name_error"' in html
    assert 'id="x-mistaken-name_error"' in html
    assert '<span class="need">(required)</span>' in html


def rendered(template: str) -> str:
    from django.template import engines
    from django.utils import translation

    context: dict[str, Any] = {
        "value": "<b>",
        "only_french": Text(fr="Équipe <3"),
        "both": {"en": "Team", "fr": "Équipe"},
        "nothing": None,
        "moment": datetime(2026, 2, 18, 21, 40, tzinfo=UTC),
        "printed": PrintedDate(date(2011, 6, 28), HijriDate(1432, 7, 24)),
        "plain": date(2026, 2, 18),
        "many": 12345,
    }
    with translation.override("en"):
        return str(engines["django"].from_string(template).render(context))


def also(somebody: Any, team: str) -> None:
    from tansiq.members.actions.appointments import grant

    grant(somebody, Role.ANALYST, team=signin.team_of(team), granted_by="node", decision="", now=signin.now())


def unreachable(*_arguments: object, **_named: object) -> None:
    raise AssertionError("the database was asked")
