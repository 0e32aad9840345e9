from __future__ import annotations

import pytest

from tansiq.core.text import LANGUAGES
from tansiq.notices.languages import ARABIC, FRENCH, LANGUAGE_OF_COUNTRY, language_of


@pytest.mark.parametrize(
    ("country", "language"), [("MA", "ar"), ("SN", "fr"), ("DJ", "fr"), ("MY", "en"), ("", "en"), ("om", "ar")]
)
def test_language_of_a_country_is_the_one_its_team_reads(country: str, language: str) -> None:
    assert language_of(country) == language


def test_language_table_gives_each_country_one_language() -> None:
    assert not ARABIC & FRENCH
    assert set(LANGUAGE_OF_COUNTRY.values()) <= set(LANGUAGES)
