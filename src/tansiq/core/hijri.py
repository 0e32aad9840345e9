"""Hijri dates: reckoned by the Umm al-Qura calendar where a reader wants them, never in place of a printed one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hijridate import Gregorian

from tansiq.core.text import Text

MONTHS = (
    Text(ar="محرم", en="Muharram", fr="mouharram"),
    Text(ar="صفر", en="Safar", fr="safar"),
    Text(ar="ربيع الأول", en="Rabi I", fr="rabia al awal"),
    Text(ar="ربيع الآخر", en="Rabi II", fr="rabia ath-thani"),
    Text(ar="جمادى الأولى", en="Jumada I", fr="joumada al oula"),
    Text(ar="جمادى الآخرة", en="Jumada II", fr="joumada ath-thania"),
    Text(ar="رجب", en="Rajab", fr="rajab"),
    Text(ar="شعبان", en="Shaban", fr="chaabane"),
    Text(ar="رمضان", en="Ramadan", fr="ramadan"),
    Text(ar="شوال", en="Shawwal", fr="chawwal"),
    Text(ar="ذو القعدة", en="Dhu al-Qadah", fr="dhou al qiada"),
    Text(ar="ذو الحجة", en="Dhu al-Hijjah", fr="dhou al-hijja"),
)
ERA = Text(ar="هـ", en="AH", fr="H")


@dataclass(frozen=True, slots=True)
class HijriDate:
    year: int
    month: int
    day: int

    def within(self, language: str) -> str:
        """``24 Rajab 1432 AH``, with Latin digits in every language."""
        return f"{self.day} {MONTHS[self.month - 1].within(language)[0]} {self.year} {ERA.within(language)[0]}"


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """A date as a document prints it, in one calendar or in both.

    Attributes:
        gregorian: as printed.
        hijri: as printed, or reckoned if ``computed``. What a document prints is kept even where the reckoning
            disagrees: calendars by observation differ from the reckoned one by a day or two.
        computed: the Hijri date is ours, not the document's.
    """

    gregorian: date
    hijri: HijriDate | None = None
    computed: bool = False


def with_hijri(day: PrintedDate) -> PrintedDate:
    """The same with a reckoned Hijri date if it prints none; as it is where one is printed or the table ends."""
    if day.hijri is not None:
        return day
    reckoned = hijri(day.gregorian)
    return PrintedDate(day.gregorian, reckoned, computed=reckoned is not None)


def hijri(day: date) -> HijriDate | None:
    """By the Umm al-Qura calendar; None outside of its table (1 August 1924 to 16 November 2077)."""
    try:
        reckoned = Gregorian(day.year, day.month, day.day).to_hijri()
    except OverflowError:
        return None
    return HijriDate(reckoned.year, reckoned.month, reckoned.day)
