"""Numbers, days, times and zones in the reader's language."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from tansiq.web import writing


@pytest.mark.parametrize(("language", "written"), [("en", "10,240,788"), ("fr", "10 240 788"), ("ar", "10,240,788")])
def test_number_in_any_language_is_grouped_with_latin_digits(language: str, written: str) -> None:
    assert writing.number(10_240_788, language).replace("\N{NARROW NO-BREAK SPACE}", " ") == written


@pytest.mark.parametrize(
    ("language", "written"), [("en", "9 Feb 2026"), ("fr", "9 février 2026"), ("ar", "9 فبراير 2026")]
)
def test_day_in_any_language_has_its_month_in_words(language: str, written: str) -> None:
    assert writing.day(date(2026, 2, 9), language) == written


def test_clock_of_a_moment_is_of_its_own_zone() -> None:
    moment = datetime(2026, 2, 18, 21, 40, tzinfo=UTC).astimezone(ZoneInfo("Asia/Riyadh"))

    assert writing.clock(moment, "ar") == "00:40"


@pytest.mark.parametrize("place", [UTC, ZoneInfo("UTC"), ZoneInfo("Etc/UTC")])
def test_zone_of_universal_time_is_utc_in_every_language(place: object) -> None:
    assert {writing.zone(place, language) for language in ("ar", "en", "fr")} == {"UTC"}
