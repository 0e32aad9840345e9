"""The text of a profile."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.core.text import LANGUAGES, Text
from tansiq.members.rfc2350 import NUMBERS, SECTIONS, WIDTH, Facts, Profile, parts, profile_text, restored, stored

FACTS = Facts(
    names=Text(ar="فريق XA", en="CERT of XA"),
    memberships=("full",),
    contacts=(("email", "cert@cert.example"), ("phone", "+999 555 0100")),
    around_the_clock=("+999 555 0100",),
    keys=("0123456789ABCDEF0123456789ABCDEF01234567",),
    claims=(("country", "XA"), ("asn", "64496")),
    claims_count=7,
)
MISSION = "We answer for every network of XA, and we help whoever asks. " * 3
PROFILE = Profile("XA-CERT", FACTS, {"3.1": Text(en=MISSION), "3.4": Text(fr="Décret 7.")}, 2, date(2026, 3, 1))


def test_sections_are_those_of_the_rfc_and_named_in_three_languages() -> None:
    assert [section.number for section in SECTIONS if "." not in section.number] == list("1234567")
    assert len(NUMBERS) == 28
    assert all(getattr(section.heading, language) for section in SECTIONS for language in LANGUAGES)


def test_profile_text_has_facts_and_words_under_their_headings() -> None:
    text = profile_text(PROFILE, "en")

    assert text.startswith(
        "CERT of XA (XA-CERT)\nDescription of the team according to RFC 2350\nVersion 2, 2026-03-01\n"
    )
    assert "2.7. Electronic Mail Address\n\n   cert@cert.example\n" in text
    assert "2.8. Public Keys and Encryption Information\n\n   0123 4567 89AB CDEF 0123 4567" in text
    assert "3.2. Constituency\n\n   Country: XA\n   AS number: AS64496\n   And others: 5.\n" in text
    assert "3.4. Authority\n\n   [fr]\n   Décret 7.\n" in text
    assert "4.1. Types of Incidents and Level of Support\n\n   Nothing is stated.\n" in text
    assert max(map(len, text.splitlines())) <= WIDTH


@pytest.mark.parametrize("language", LANGUAGES)
def test_profile_text_of_every_language_has_every_section_once(language: str) -> None:
    lines = profile_text(PROFILE, language).splitlines()

    assert [line.split(". ")[0] for line in lines if line[:1].isdigit()] == [section.number for section in SECTIONS]


def test_parts_give_the_page_lines_and_words() -> None:
    by_number = {part.number: part for part in parts(PROFILE, "fr")}

    assert by_number["3.3"].lines == ("Membre à part entière",)
    assert by_number["3.1"].words.en == MISSION
    assert by_number["3"].chapter and not by_number["6"].chapter


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=200)
words = st.builds(Text, texts, texts, texts)


@given(st.dictionaries(st.sampled_from(NUMBERS), words), words, st.sampled_from(LANGUAGES))
def test_profile_stored_as_json_is_itself_again_and_its_text_keeps_to_the_width(
    sections: dict[str, Text], names: Text, language: str
) -> None:
    profile = Profile("XA-CERT", Facts(names), sections, 1, date(2026, 3, 1))

    again = restored(json.loads(json.dumps(stored(profile))))

    assert again == profile
    assert all(len(line) <= WIDTH or len(line.split()) == 1 for line in profile_text(profile, language).splitlines())
