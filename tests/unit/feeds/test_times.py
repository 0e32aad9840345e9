from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from tansiq.feeds.times import parse_times


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02 03:04:05", "2026-01-02T03:04:05"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05"),
        ("2026-01-02T03:04:05.250Z", "2026-01-02T03:04:05.250"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05"),
        ("2019-04-01 03:13:20Z", "2019-04-01T03:13:20"),
        ("2026-01-02 03:04:05 UTC", "2026-01-02T03:04:05"),
        ("2026/01/02 03:04:05", "2026-01-02T03:04:05"),
        ("1495782036", "2017-05-26T07:00:36"),
        ("1495782036.5", "2017-05-26T07:00:36.500"),
        ("1495782036123", "2017-05-26T07:00:36.123"),
        ("1495782036123456", "2017-05-26T07:00:36.123456"),
        ("131349599830000000", "2017-03-25T23:59:43"),
        ("01/Aug/2018:09:49:41 +0200", "2018-08-01T07:49:41"),
        ("Sat, 22 Aug 2026 03:00:29 +0200", "2026-08-22T01:00:29"),
        ("Tue Oct 31 13:37:42 2017 GMT", "2017-10-31T13:37:42"),
        ("Sunday May 24 2020 22:45:28.4870", "2020-05-24T22:45:28.487"),
        ("2024-09-01", "2024-09-01T00:00:00"),
        ("20240901", "2024-09-01T00:00:00"),
    ],
)
def test_time_of_every_kind_becomes_utc(text: str, expected: str) -> None:
    found = parse_times(pl.Series([text]))

    assert found.to_list() == [datetime.fromisoformat(expected).replace(tzinfo=UTC)]


@pytest.mark.parametrize("text", ["2026-13-45 99:99:99", "yesterday", "2026-02-30", "12", "", "99999999999999999999"])
def test_what_is_no_time_is_null(text: str) -> None:
    assert parse_times(pl.Series([text])).to_list() == [None]


def test_zone_applies_to_times_without_an_offset_only() -> None:
    found = parse_times(pl.Series(["2025-10-01 10:25:00", "2025-10-01T10:25:00Z", "1759314300"]), zone="Asia/Tokyo")

    assert [time.hour for time in found.to_list()] == [1, 10, 10]


def test_mixed_formats_keep_their_rows() -> None:
    texts = pl.Series(["1495782036", None, "2026-01-02 03:04:05", "x", "20240901"])

    found = parse_times(texts)

    assert [time and time.year for time in found.to_list()] == [2017, None, 2026, None, 2024]


def test_empty_column_stays_empty() -> None:
    assert parse_times(pl.Series([], dtype=pl.String)).len() == 0
