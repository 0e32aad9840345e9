from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tansiq.notices.period import EmptyPeriod, Period

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = datetime(2026, 11, 22, tzinfo=UTC)


def test_day_of_any_moment_is_the_whole_utc_day() -> None:
    period = Period.day_of(NOON)

    assert (period.since, period.until) == (DAY, DAY + timedelta(days=1))


def test_day_of_a_moment_in_another_zone_is_the_day_in_utc() -> None:
    moment = datetime(2026, 11, 23, 1, tzinfo=timezone(timedelta(hours=3)))

    assert Period.day_of(moment).label == "2026-11-22"


@pytest.mark.parametrize(
    ("since", "until", "label"),
    [
        (DAY, DAY + timedelta(days=1), "2026-11-22"),
        (DAY - timedelta(days=7), DAY, "2026-11-15--2026-11-22"),
        (DAY, NOON, "2026-11-22T000000Z--2026-11-22T120000Z"),
        (NOON, NOON + timedelta(days=1), "2026-11-22T120000Z--2026-11-23T120000Z"),
    ],
)
def test_label_of_a_period_names_it_unmistakably(since: datetime, until: datetime, label: str) -> None:
    assert Period(since, until).label == label


def test_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(EmptyPeriod) as refused:
        Period(NOON, DAY)

    assert refused.value.exit_code == 2
    assert "2026-11-22T12:00:00+00:00" in str(refused.value)


@pytest.mark.parametrize(
    ("since", "until", "meant"),
    [
        (None, None, Period(DAY, DAY + timedelta(days=1))),
        (DAY - timedelta(days=2), None, Period(DAY - timedelta(days=2), NOON)),
        (None, DAY, Period(DAY - timedelta(days=1), DAY)),
        (DAY - timedelta(days=7), DAY, Period(DAY - timedelta(days=7), DAY)),
    ],
)
def test_asked_with_open_ends_means_the_nearest_sensible_period(
    since: datetime | None, until: datetime | None, meant: Period
) -> None:
    assert Period.asked(since, until, now=NOON) == meant
