from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from tansiq.core.columns import PARSED
from tansiq.feeds.feed import Context, Delimited, Feed
from tansiq.feeds.normalise import normalise

DATED = Context("report.csv", datetime(2026, 3, 1, tzinfo=UTC))
FEED = Feed(
    code="x",
    title="",
    licence="",
    cadence_minutes=1,
    shape=Delimited(),
    columns={
        "observed_at": ("time",),
        "ip": ("address", "src"),
        "port": ("service",),
        "malware": ("family", "infection"),
    },
    ignored=("noise",),
    rsit_type="scanner",
)


def events(*rows: dict[str, str | None], feed: Feed = FEED) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = pl.DataFrame(
        [{"line_number": n} | {name: row.get(name) for name in names} for n, row in enumerate(rows, 1)],
        schema={"line_number": pl.UInt64} | dict.fromkeys(names, pl.String),
    )
    return normalise(columns, feed, DATED)


def one(feed: Feed = FEED, **row: str | None) -> dict[str, Any]:
    return events(row, feed=feed).events.row(0, named=True)


def test_columns_have_the_types_of_an_event_even_without_rows() -> None:
    found = events({"address": "nonsense"})

    assert found.events.schema == pl.Schema(PARSED)
    assert found.events.height == 0
    assert found.refused.rows() == [(1, "ip.invalid")]


@pytest.mark.parametrize(
    ("text", "ip", "version"),
    [("192.0.2.1", "192.0.2.1", 4), ("2001:DB8::0:1", "2001:db8::1", 6), ("::ffff:192.0.2.1", "192.0.2.1", 4)],
)
def test_address_is_written_in_one_way(text: str, ip: str, version: int) -> None:
    event = one(address=text)

    assert (event["ip"], event["ip_version"]) == (ip, version)


def test_time_without_a_value_is_the_report_s_and_a_wrong_one_refuses_the_line() -> None:
    found = events({"time": None, "address": "192.0.2.1"}, {"time": "soon", "address": "192.0.2.1"})

    assert found.events["observed_at"].to_list() == [DATED.dated_at]
    assert found.refused.rows() == [(2, "time.invalid")]


def test_url_lends_its_host_and_its_literal_address() -> None:
    named = one(url="http://Login.Bank.example:8080/x")
    literal = one(url="http://192.0.2.7/x")

    assert (named["hostname"], named["ip"]) == ("login.bank.example", None)
    assert literal["ip"] == "192.0.2.7"


def test_words_and_numbers_are_brought_to_one_form() -> None:
    event = one(
        address="192.0.2.1",
        service="443",
        protocol="6",
        severity="Informational",
        feed_asn="AS64496",
        feed_country="uk",
    )

    assert [event[name] for name in ("port", "protocol", "severity", "feed_asn", "feed_country")] == [
        443,
        "tcp",
        "info",
        64496,
        "GB",
    ]


@pytest.mark.parametrize("country", ["ZZ", "XX", "AA", "EU", "Morocco", ""])
def test_country_that_is_none_is_null(country: str) -> None:
    assert one(address="192.0.2.1", feed_country=country or None)["feed_country"] is None


def test_extra_keeps_all_the_rest_and_nothing_else() -> None:
    event = one(address="192.0.2.1", city='Casa "Blanca"\\', noise="x", sector=None, service="99999")

    assert json.loads(event["extra"]) == {"city": 'Casa "Blanca"\\', "port": "99999"}


def test_extra_of_rows_with_different_members_names_only_their_own() -> None:
    found = events({"address": "192.0.2.1", "a": "1"}, {"address": "192.0.2.2", "b": "\t"}, {"address": "192.0.2.3"})

    assert [extra and json.loads(extra) for extra in found.events["extra"]] == [{"a": "1"}, {"b": "\t"}, None]


def test_second_column_of_one_meaning_is_kept_where_it_says_something_else() -> None:
    found = events(
        {"address": "192.0.2.1", "family": "mirai", "infection": "mirai"},
        {"address": "192.0.2.1", "family": "mirai", "infection": "gafgyt"},
        {"address": "192.0.2.1", "family": None, "infection": "gafgyt"},
    )

    assert found.events["malware"].to_list() == ["mirai", "mirai", "gafgyt"]
    assert [extra and json.loads(extra) for extra in found.events["extra"]] == [None, {"infection": "gafgyt"}, None]


def test_class_follows_from_the_type() -> None:
    event = one(address="192.0.2.1")

    assert (event["rsit_class"], event["rsit_type"]) == ("information-gathering", "scanner")
