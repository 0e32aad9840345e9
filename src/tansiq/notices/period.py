"""The span of time that one digest tells of: half-open, judged at the time of receipt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tansiq.core.errors import N_, TansiqError


class EmptyPeriod(TansiqError):
    code = "notices.period.empty"
    message = N_("The period from {since} until {until} is empty.")
    remedy = N_("Give an --until that is later than --since.")
    exit_code = 2


class BadTime(TansiqError):
    code = "notices.period.bad_time"
    message = N_("{text} is no time.")
    remedy = N_("Write a date (2026-11-22), a time with its zone (2026-11-22T06:00:00Z) or an age (7d, 24h).")
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` (inside) until ``until`` (outside), aware UTC datetimes."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise EmptyPeriod(since=self.since.isoformat(), until=self.until.isoformat())

    @classmethod
    def day_of(cls, now: datetime) -> Period:
        """The whole UTC day of ``now``; told before it ends, it holds what has been received so far."""
        since = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(since, since + timedelta(days=1))

    @classmethod
    def asked(cls, since: str | None, until: str | None, *, now: datetime) -> Period:
        """The period as a person asks for it: dates, RFC 3339 times, or ages such as ``7d`` and ``24h``.

        Neither: the UTC day of ``now``. An open end is ``now``; an open start is the UTC day before the end.

        Raises: BadTime, EmptyPeriod.
        """
        if since is None and until is None:
            return cls.day_of(now)
        end = moment(until, now=now) if until else now
        return cls(moment(since, now=now) if since else end - timedelta(days=1), end)

    @property
    def label(self) -> str:
        """A folder's name: ``2026-11-22`` for a UTC day, else both ends, ``2026-11-15--2026-11-22``."""
        if self.until - self.since == timedelta(days=1) and _is_midnight(self.since):
            return self.since.strftime("%Y-%m-%d")
        whole_days = _is_midnight(self.since) and _is_midnight(self.until)
        form = "%Y-%m-%d" if whole_days else "%Y-%m-%dT%H%M%SZ"
        return f"{self.since.strftime(form)}--{self.until.strftime(form)}"


def _is_midnight(time: datetime) -> bool:
    return (time.hour, time.minute, time.second, time.microsecond) == (0, 0, 0, 0)


def moment(text: str, *, now: datetime) -> datetime:
    """A date is its first moment in UTC; a time without a zone is refused, for nobody knows whose it is."""
    if age := re.fullmatch(r"(\d{1,5})([dh])", text):
        number = int(age[1])
        return now - (timedelta(days=number) if age[2] == "d" else timedelta(hours=number))
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        if (time := datetime.fromisoformat(text)).tzinfo is not None:
            return time.astimezone(UTC)
    except ValueError:
        pass
    raise BadTime(text=text)
