"""How values are written for a reader: numbers, days, times and time zones, each in the reader's language.

Digits are Latin (0-9) in every language. Addresses, ports, hashes and CVE numbers stand in the same sentences and are
never translated, half of the Arabic-speaking members print Latin digits anyway, and a figure that is read aloud to
another team must be the same on both screens.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta, get_timezone_location
from babel.numbers import format_decimal
from django.utils.translation import gettext as _

LATIN = "latn"
KILO = 1000


def number(value: int | float | Decimal, language: str) -> str:
    """``12,345``, ``12 345``: grouped as the language groups."""
    return format_decimal(value, locale=locale(language), numbering_system=LATIN)


def day(value: date, language: str) -> str:
    return format_date(value, "d MMMM y" if language != "en" else "d MMM y", locale=locale(language))


def clock(value: datetime, language: str) -> str:
    return format_time(value, "HH:mm", tzinfo=value.tzinfo, locale=locale(language))


def zone(place: tzinfo, language: str) -> str:
    """``Riyadh time``, ``heure de Riyad``; universal time is UTC everywhere."""
    name = str(place)
    if name in ("UTC", "Etc/UTC", "UTC+00:00"):
        return "UTC"
    return _("{city} time").format(city=get_timezone_location(place, locale=locale(language), return_city=True))


def locale(language: str) -> Locale:
    return Locale.parse(language)


def span(value: timedelta, language: str) -> str:
    """How long, in the largest unit that fits: ``3 hours``, ``90 seconds``. Never negative."""
    return format_timedelta(abs(value), threshold=1.5, locale=locale(language))


def size(size_bytes: int, language: str) -> str:
    """``512 bytes``, ``1.2 MB``: in units of a thousand, as disks are sold."""
    if size_bytes < KILO:
        return _("{number} B").format(number=number(size_bytes, language))
    units = (_("{number} kB"), _("{number} MB"), _("{number} GB"))
    value, step = size_bytes / KILO, 0
    while value >= KILO and step < len(units) - 1:
        value, step = value / KILO, step + 1
    return units[step].format(number=number(round(value, 1 if value < 10 else 0), language))
