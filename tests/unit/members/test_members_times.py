"""Moments as files write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest

from tansiq.members.times import BadTime, moment

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (date(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        (datetime(2026, 1, 31, 12), NOON),
        (datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))), NOON),
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31t12:00:00z", NOON),
        ("2026-01-31 14:00:00+02:00", NOON),
        ("2026-01-31T12:00:00.123456789Z", NOON.replace(microsecond=123456)),
    ],
)
def test_moment_written_in_any_way_is_utc(written: object, meant: datetime) -> None:
    assert moment(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "31.01.2026",
        "2026-02-30",
        "2026-01-31T12:00:00",
        "2026-W05-1",
        time(12),
        1,
        True,
        None,
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_moment_that_is_none_is_refused(written: object) -> None:
    with pytest.raises(BadTime):
        moment(written)
