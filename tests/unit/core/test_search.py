"""Finding names as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.core.search import folded


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("الاردن", "الأُرْدُنّ"),
        ("اندونيسيا", "إندونيسيا"),
        ("القران", "القرآن"),
        ("طواري", "طوارئ"),
        ("مسوول", "مسؤول"),
        ("سورية", "سوريه"),
        ("مصطفي", "مصطفى"),
        ("تنسيق", "تنـــسيق"),
        ("ايران", "ایران"),
        ("پاکستان", "پاكستان"),
        ("فريق ٢٤", "فريق 24"),
        ("۱۲", "12"),
        ("cote divoire", "Côte d'Ivoire"),
        ("ouzbekistan oz", "Ouzbékistan Oʻz"),
        ("turkiye", "TÜRKİYE"),
        ("ci cert", "CI-CERT"),
        ("ﺗﻮﻧﺲ", "تونس"),
        ("ar cert", "\u202bAr\u200d-CERT\u202c"),
        ("azerbaycan", "Azərbaycan".replace("ə", "e")),
        ("idare heyeti", "İdarə Heyəti"),
    ],
)
def test_folded_typed_and_written_are_the_same(typed: str, written: str) -> None:
    assert folded(typed) == folded(written)


@given(st.text())
def test_folded_twice_is_folded_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)
