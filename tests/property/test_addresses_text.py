"""Columns against the standard library's ``ipaddress``."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from tansiq.addresses.text import format_addresses, parse_addresses

WORD = st.integers(0, 2**16 - 1) | st.just(0)
V6 = st.lists(WORD, min_size=8, max_size=8).map(
    lambda words: IPv6Address(sum(w << 16 * k for k, w in enumerate(words)))
)
V4 = st.ip_addresses(v=4)
NEARLY = st.text(alphabet="0123456789abcdefABCDEF:.:%/ \n", max_size=42)
PIECES = st.lists(
    st.sampled_from(["::", ":", ".", "0", "1", "ffff", "FFFF", "abcd", "12345", "255", "256", "01", "192.0.2.1", "g"]),
    max_size=12,
).map("".join)


def plain(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if "%" in text:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def expected(text: str) -> tuple[str, int, int, int] | tuple[None, None, None, None]:
    address = plain(text)
    if address is None:
        return None, None, None, None
    number = int(address) if address.version == 6 else int(address) | 0xFFFF << 32
    return str(address), address.version, number >> 64, number & 2**64 - 1


def written(address: IPv6Address) -> list[str]:
    """Ways to write the same address."""
    full = address.exploded
    tail = str(IPv4Address(int(address) & 2**32 - 1))
    return [str(address), full, full.upper(), ":".join(full.split(":")[:6]) + ":" + tail]


@given(st.lists(V4.map(str) | V6.flatmap(lambda a: st.sampled_from(written(a))) | NEARLY | PIECES))
@example(["1:2:3:4:5:6:7::", "::1:2:3:4:5:6:7", "1::2:3:4:5:6:7:8", ":::", "::", ":", "1:::2", ":1::2", "1::2:"])
@example(
    ["::ffff:192.0.2.1", "::ffff:0:0", "::192.0.2.1", "64:ff9b::192.0.2.1", "192.0.2.1::", "1:2:3:4:5:6:7:192.0.2.1"]
)
@example(["192.0.2.1\n", "192.0.2.1 ", "192.0.2.01", "192.0.2", "192.0.2.1.", ".192.0.2.1", "٣.0.2.1", "１.1.1.1"])
@example([":a0...", "::", "1:2:3:4:5:6:ff0.1.1.1", "::999.999.999.999"])
def test_parse_addresses_any_text_agrees_with_the_standard_library(texts: list[str]) -> None:
    got = parse_addresses(pl.Series("ip", texts, dtype=pl.String))

    assert got.rows() == [expected(text) for text in texts]


@given(st.lists(V4 | V6 | st.none()))
def test_format_addresses_any_number_is_read_back_as_itself(addresses: list[IPv4Address | IPv6Address | None]) -> None:
    numbers = [None if a is None else int(a) | (0xFFFF << 32 if a.version == 4 else 0) for a in addresses]
    high = pl.Series([None if n is None else n >> 64 for n in numbers], dtype=pl.UInt64)
    low = pl.Series([None if n is None else n & 2**64 - 1 for n in numbers], dtype=pl.UInt64)

    text = format_addresses(high, low)

    assert text.to_list() == [None if n is None else expected(str(IPv6Address(n)))[0] for n in numbers]
    assert parse_addresses(text).select("ip_hi", "ip_lo").rows() == list(zip(high, low, strict=True))
