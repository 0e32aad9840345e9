from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from tansiq.core.text import LANGUAGES
from tansiq.notices import render
from tansiq.notices.form import LRI, PDI
from tansiq.notices.page import Contents
from tansiq.notices.period import Period
from tansiq.notices.summary import Kind, Subject, Summary, Top, Way
from tansiq.notices.triage import read
from tansiq.notices.words import Words

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOSTILE = '<script>alert("x")</script>'
SUMMARY = Summary(
    events=1234,
    sightings=5678,
    addresses=99,
    kinds=(
        Kind("malicious-code", "infected-system", "sinkhole", "critical", 1000, 5000, 90, NOON, NOON),
        Kind("vulnerable", "a-new-type", HOSTILE, "", 234, 678, 9, NOON, NOON),
    ),
    subjects=(
        Subject("192.0.2.7", "malicious-code", "infected-system", "critical", "mirai", 1, 50),
        Subject(f"http://gov.example/{HOSTILE}", "fraud", "phishing", "high", "", 1, 2),
    ),
    malware=(Top("mirai", "", 900, 80),),
    networks=(Top("AS64496", HOSTILE, 3, 3),),
    ways=(Way("cidr", 1000, 95), Way("country", 234, 60)),
)
TOLD = Contents(
    team="XA-CERT",
    name="فريق XA",
    name_language="ar",
    period=Period.day_of(NOON),
    written_at=NOON,
    summary=SUMMARY,
    disputes=(read("contested cidr 192.0.2.0/24: XF-CERT inside XA-CERT", events=3, sightings=4),),
    files=("events.csv", "events.json", "triage.csv"),
)


class Document(HTMLParser):
    """Which elements and attributes a page has; complains of nothing, as browsers do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_in_any_language_fetches_and_links_nothing(language: str) -> None:
    page = render.html(TOLD, Words(language))

    elements = Document(page).elements
    assert not {"script", "img", "link", "iframe", "a", "base", "object"} & {tag for tag, _ in elements}
    assert not {"src", "href", "onclick"} & {name for _, attributes in elements for name in attributes}
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("en", "ltr"), ("fr", "ltr")])
def test_html_states_its_language_and_direction(language: str, direction: str) -> None:
    elements = Document(render.html(TOLD, Words(language))).elements

    assert ("html", {"lang": language, "dir": direction}) in elements


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_uses_logical_properties_only(language: str) -> None:
    style = re.search(r"<style>(.*?)</style>", render.html(TOLD, Words(language)), re.DOTALL)

    assert style
    assert not re.search(r"(?<![a-z-])(left|right|(margin|padding|border)-(left|right))\s*:", style[1])
    assert not re.search(r"text-align:\s*(left|right)", style[1])


@pytest.mark.parametrize("language", LANGUAGES)
def test_digest_of_any_language_has_the_label_in_latin_letters_at_head_and_foot(language: str) -> None:
    page, text = render.html(TOLD, Words(language)), render.text(TOLD, Words(language))

    assert page.count('<bdi dir="ltr">TLP:AMBER</bdi>') == 2
    lines = [line for line in text.splitlines() if line.strip()]
    assert "TLP:AMBER" in lines[0]
    assert "TLP:AMBER" in lines[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_digest_of_any_language_shows_addresses_defanged_only(language: str) -> None:
    for written in (render.html(TOLD, Words(language)), render.text(TOLD, Words(language))):
        assert "192[.]0[.]2[.]7" in written
        assert "192.0.2.7" not in written
        assert "hxxp[:]//gov[.]example/" in written
        assert "http://gov" not in written


def test_html_of_hostile_content_is_escaped() -> None:
    page = render.html(TOLD, Words("en"))

    assert HOSTILE not in page
    assert page.count("&lt;script&gt;") == 3


def test_text_in_arabic_isolates_technical_tokens() -> None:
    text = render.text(TOLD, Words("ar"))

    assert f"{LRI}192[.]0[.]2[.]7{PDI}" in text
    assert text.count(LRI) == text.count(PDI)


def test_text_in_english_has_no_direction_characters() -> None:
    text = render.text(TOLD, Words("en"))

    assert LRI not in text
    assert PDI not in text


@pytest.mark.parametrize("language", ["ar", "en"])
def test_text_of_a_hostile_token_cannot_end_its_line_or_its_isolate(language: str) -> None:
    hostile = dataclasses.replace(SUMMARY, malware=(Top(f"mi{PDI}rai\n\x1b[2J", "", 1, 1),))

    text = render.text(dataclasses.replace(TOLD, summary=hostile), Words(language))

    assert "\x1b" not in text
    assert "mi�rai��[2J" in text


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["1,234 events", "Infected system", "Malicious code", "by a network that you claim", "a-new-type"]),
        ("fr", ["1\u202f234 événements", "Système infecté", "Code malveillant", "par un réseau que vous déclarez"]),
        ("ar", ["1,234 حدثاً", "نظام مصاب", "شيفرة خبيثة", "بشبكة تطالبون بها"]),
    ],
)
def test_text_speaks_the_language_asked_for(language: str, expected: list[str]) -> None:
    text = render.text(TOLD, Words(language))

    assert [words for words in expected if words not in text] == []


def test_text_of_a_dispute_names_both_teams_and_what_is_claimed() -> None:
    text = render.text(TOLD, Words("en"))

    assert "192[.]0[.]2[.]0/24 · XF-CERT claims it inside a claim of XA-CERT · 3 events" in text


def test_digest_with_nothing_received_says_so() -> None:
    nothing = Summary(0, 0, 0, (), (), (), (), ())
    told = dataclasses.replace(TOLD, summary=nothing, disputes=(), files=())

    text, page = render.text(told, Words("en")), render.html(told, Words("en"))

    assert "Nothing was received in this period." in text
    assert "Nothing was received in this period." in page
    assert "What was seen" not in text


def test_digest_of_a_period_that_is_over_does_not_say_so_far() -> None:
    over = dataclasses.replace(TOLD, written_at=TOLD.period.until)

    assert "so far" in render.text(TOLD, Words("en"))
    assert "so far" not in render.text(over, Words("en"))


def test_triage_digest_puts_disputes_first_and_counts_what_nobody_claims() -> None:
    told = dataclasses.replace(TOLD, team=None, name="", unattributed=4321)

    text = render.text(told, Words("en"))

    assert "4,321 events are attributed to nobody" in text
    assert text.index("Not decided") < text.index("What was seen")
    assert "Why these events come to you" not in text


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 حدث"),
        (1, "1 حدث واحد"),
        (2, "2 حدثان"),
        (3, "3 أحداث"),
        (11, "11 حدثاً"),
        (100, "100 حدث"),
        (103, "103 أحداث"),
    ],
)
def test_arabic_counts_use_all_six_plural_forms(number: int, words: str) -> None:
    assert Words("ar").events(number) == words
