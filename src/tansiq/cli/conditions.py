"""Which events are asked for, as typed and as understood."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from tansiq.cli.known import UnknownCountry, UnknownKind, nearest, nearest_country
from tansiq.core.errors import N_, TansiqError
from tansiq.core.rsit import CLASS_OF_TYPE, TYPES_OF_CLASS

if TYPE_CHECKING:
    from tansiq.lake import Filter

SPAN = re.compile(r"(\d{1,5})([dh])")


class BadTime(TansiqError):
    code = "events.time.bad"
    message = N_("{value} is no time that --{option} understands.")
    remedy = N_("Write a date (2026-01-31), a time (2026-01-31T08:00:00Z), or how long ago (7d, 24h).")
    exit_code = 2


class BadRange(TansiqError):
    code = "events.range.bad"
    message = N_("--since {since} is not before --until {until}.")
    remedy = N_("--until is the first moment that is left out; give one that is later.")
    exit_code = 2


class BadFilter(TansiqError):
    code = "events.filter.bad"
    message = N_("{value} is no value for --{option}.")
    remedy = N_("Give {wanted}.")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Conditions:
    """What was typed, before it is understood."""

    team: str | None
    feed: str | None
    rsit: str | None
    country: str | None
    asn: str | None
    malware: str | None
    ip: str | None
    since: str | None
    until: str | None


def understood(given: Conditions, *, now: datetime) -> Filter:
    """The filter that was typed. Raises: BadTime, BadRange, BadFilter."""
    from tansiq.lake import Filter

    since, until = a_time("since", given.since, now=now), a_time("until", given.until, now=now)
    if since and until and since >= until:
        raise BadRange(since=given.since, until=given.until)
    nobody = given.team is not None and given.team.lower() == "none"
    rsit_class, rsit_type = a_kind(given.rsit)
    return Filter(
        team=None if nobody or given.team is None else given.team.upper(),
        unattributed=nobody,
        feed=given.feed,
        rsit_class=rsit_class,
        rsit_type=rsit_type,
        country=a_country(given.country),
        asn=a_number(given.asn),
        malware=given.malware,
        ip=an_address(given.ip),
        since=since,
        until=until,
    )


def a_time(option: str, value: str | None, *, now: datetime) -> datetime | None:
    """A date (its midnight in UTC), an RFC 3339 time (UTC if it names no zone), or so long before ``now``."""
    if value is None:
        return None
    try:
        if ago := SPAN.fullmatch(value):
            return now - timedelta(**{"days" if ago[2] == "d" else "hours": int(ago[1])})
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadTime(option=option, value=value) from None


def a_day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise BadFilter(option="day", value=value, wanted="2026-01-31") from None


def a_kind(value: str | None) -> tuple[str | None, str | None]:
    """(class, None) or (None, type) of the RSIT; ``other`` and ``test`` are both, and mean the class."""
    if value is None:
        return None, None
    if value in TYPES_OF_CLASS:
        return value, None
    if value in CLASS_OF_TYPE:
        return None, value
    names = sorted({*TYPES_OF_CLASS, *CLASS_OF_TYPE})
    raise UnknownKind(option="rsit", value=value, near=nearest(value, names), wanted=", ".join(names))


def a_country(value: str | None) -> str | None:
    if value is None or re.fullmatch("[A-Za-z]{2}", value):
        return value and value.upper()
    raise UnknownCountry(value=value, near=nearest_country(value))


def a_number(value: str | None) -> int | None:
    if value is None:
        return None
    digits = value.upper().removeprefix("AS")
    if not re.fullmatch("[0-9]{1,10}", digits) or int(digits) > 4_294_967_295:
        raise BadFilter(option="asn", value=value, wanted="0..4294967295")
    return int(digits)


def an_address(value: str | None) -> str | None:
    try:
        return value and str(ipaddress.ip_address(value))
    except ValueError:
        raise BadFilter(option="ip", value=value, wanted="192.0.2.1, 2001:db8::1") from None
