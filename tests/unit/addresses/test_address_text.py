from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from tansiq.addresses.text import BLOCK, format_addresses, parse_addresses


def one(text: str | None) -> tuple[object, ...]:
    return parse_addresses(pl.Series([text], dtype=pl.String)).row(0)


@pytest.mark.parametrize(
    ("text", "canonical", "version", "high", "low"),
    [
        ("192.0.2.1", "192.0.2.1", 4, 0, 0xFFFF_C000_0201),
        ("0.0.0.0", "0.0.0.0", 4, 0, 0xFFFF_0000_0000),
        ("255.255.255.255", "255.255.255.255", 4, 0, 0xFFFF_FFFF_FFFF),
        ("::ffff:192.0.2.1", "192.0.2.1", 4, 0, 0xFFFF_C000_0201),
        ("::FFFF:c000:201", "192.0.2.1", 4, 0, 0xFFFF_C000_0201),
        ("::", "::", 6, 0, 0),
        ("2001:0DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1", 6, 0x2001_0DB8_0000_0000, 0x0001_0000_0000_0001),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", 6, 0x2001_0DB8_0000_0001, 0x0001_0001_0001_0001),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221", 6, 0x0064_FF9B_0000_0000, 0xC000_0221),
    ],
)
def test_parse_addresses_an_address_gives_canonical_text_and_128_bits(
    text: str, canonical: str, version: int, high: int, low: int
) -> None:
    assert one(text) == (canonical, version, high, low)


NO_ADDRESSES = [
    "192.0.2",
    "192.0.2.1.1",
    "192.0.2.256",
    "192.0.2.01",
    "192.0.2.1:80",
    "192.0.2.1/24",
    "192.0.2.-1",
    "+1.0.2.1",
    "0x1.0.2.1",
    "1..2.3",
    "unknown",
    "１.1.1.1",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "2001:db8::g",
    "fe80::1%eth0",
    "[::1]",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::192.0.2",
    "::192.0.2.256",
    "192.0.2.1::",
    ":1::2",
    "1::2:",
]
SPACED = ["", " ", "192.0.2.1 ", " 192.0.2.1", "192.0.2.1\n", "1.1.1.1\n1.1.1.1", "::1 ", "::\n", "192.0.2.1\0"]


@pytest.mark.parametrize("text", NO_ADDRESSES + SPACED)
def test_parse_addresses_anything_else_is_a_null_row(text: str) -> None:
    assert one(text) == (None, None, None, None)


def test_parse_addresses_colons_that_stand_for_nothing_are_refused() -> None:
    assert one("1:2:3:4::5:6:7:8") == (None, None, None, None)
    assert one("1:2:3:4::5:6:7")[0] == "1:2:3:4:0:5:6:7"


def test_parse_addresses_mixed_rows_over_block_borders_keep_their_places() -> None:
    rows = BLOCK * 2 + 7
    texts = [("192.0.2.7", "2001:db8::7", None, "rubbish")[k * 7 % 4] for k in range(rows)]

    got = parse_addresses(pl.Series(texts, dtype=pl.String))

    assert got["ip"].to_list() == [None if text == "rubbish" else text for text in texts]
    assert got["ip_version"].to_list() == [{"192.0.2.7": 4, "2001:db8::7": 6}.get(text or "") for text in texts]


def test_parse_addresses_no_rows_give_the_typed_columns() -> None:
    got = parse_addresses(pl.Series([], dtype=pl.String))

    assert got.schema == {"ip": pl.String, "ip_version": pl.UInt8, "ip_hi": pl.UInt64, "ip_lo": pl.UInt64}
    assert got.is_empty()


def test_parse_addresses_the_callers_column_is_left_as_it_was() -> None:
    text = pl.Series(["2001:DB8::1", "192.0.2.1"])

    parse_addresses(text)

    assert text.to_list() == ["2001:DB8::1", "192.0.2.1"]


def test_format_addresses_nulls_stay_null_between_both_families() -> None:
    high = pl.Series([0, None, 0x2001_0DB8_0000_0000], dtype=pl.UInt64)
    low = pl.Series([0xFFFF_C000_0201, 1, 0], dtype=pl.UInt64)

    text = format_addresses(high, low)

    assert text.to_list() == ["192.0.2.1", None, "2001:db8::"]


def test_format_addresses_numpy_columns_and_none_at_all_are_fine() -> None:
    assert format_addresses(np.zeros(2, np.uint64), np.array([0, 1], np.uint64)).to_list() == ["::", "::1"]
    assert format_addresses(np.zeros(0, np.uint64), np.zeros(0, np.uint64)).to_list() == []
