"""The span of time that one digest tells of: half-open, judged at the time of receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tansiq.core.errors import N_, TansiqError


class EmptyPeriod(TansiqError):
    code = "notices.period.empty"
    message = N_("The period from {since} until {until} is empty.")
    remedy = N_("Give an --until that is later than --since.")
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
    def asked(cls, since: datetime | None, until: datetime | None, *, now: datetime) -> Period:
        """What a person means by one end, both or none: the UTC day of ``now``; until now; the day before the end.

        Raises: EmptyPeriod.
        """
        if since is None and until is None:
            return cls.day_of(now)
        end = until or now
        return cls(since or end - timedelta(days=1), end)

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
