"""Hijri dates: reckoned where wanted, printed ones left alone."""

from __future__ import annotations

from datetime import date

import pytest

from tansiq.core.hijri import HijriDate, PrintedDate, hijri, with_hijri


@pytest.mark.parametrize(
    ("day", "reckoned"),
    [
        (date(2026, 2, 18), HijriDate(1447, 9, 1)),  # the first of Ramadan by the Umm al-Qura calendar
        (date(2025, 6, 26), HijriDate(1447, 1, 1)),
        (date(1924, 8, 1), HijriDate(1343, 1, 1)),  # where the table begins
        (date(1924, 7, 31), None),
        (date(2077, 11, 17), None),
    ],
)
def test_hijri_of_a_day_is_that_of_the_umm_al_qura_calendar(day: date, reckoned: HijriDate | None) -> None:
    assert hijri(day) == reckoned


def test_printed_hijri_date_that_the_reckoning_contradicts_stays_as_printed() -> None:
    printed = PrintedDate(date(2011, 6, 28), HijriDate(1432, 7, 24))
    assert hijri(date(2011, 6, 28)) != HijriDate(1432, 7, 24)

    assert with_hijri(printed) == printed


def test_date_printed_without_hijri_gets_a_reckoned_one_that_says_so() -> None:
    shown = with_hijri(PrintedDate(date(2026, 2, 18)))

    assert shown == PrintedDate(date(2026, 2, 18), HijriDate(1447, 9, 1), computed=True)


@pytest.mark.parametrize(
    ("language", "written"),
    [("ar", "24 رجب 1432 هـ"), ("en", "24 Rajab 1432 AH"), ("fr", "24 rajab 1432 H")],
)
def test_hijri_date_in_any_language_is_written_with_latin_digits(language: str, written: str) -> None:
    assert HijriDate(1432, 7, 24).within(language) == written
