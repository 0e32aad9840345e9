from __future__ import annotations

import polars as pl
import pytest

from tansiq.feeds.parsers.networks import split_networks
from tansiq.feeds.parsers.values import tell_apart


def told(value: str | None) -> dict[str, str]:
    rows = pl.DataFrame({"line_number": [1], "value": [value]}, schema={"line_number": pl.UInt64, "value": pl.String})
    found = tell_apart(rows).row(0, named=True)
    return {name: text for name, text in found.items() if text is not None and name != "line_number"}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("192.0.2.1", {"ip": "192.0.2.1"}),
        ("192.0.2[.]1", {"ip": "192.0.2.1"}),
        ("192.0.2.1:8080", {"ip": "192.0.2.1", "port": "8080"}),
        ("2001:db8::1", {"ip": "2001:db8::1"}),
        ("[2001:db8::1]:443", {"ip": "2001:db8::1", "port": "443"}),
        ("192.0.2.0/24", {"ip": "192.0.2.0", "network": "192.0.2.0/24"}),
        ("192.0.2.77/24", {"ip": "192.0.2.0", "network": "192.0.2.0/24"}),
        ("2001:db8::/32", {"ip": "2001:db8::", "network": "2001:db8::/32"}),
        ("bad.example", {"hostname": "bad.example"}),
        ("BAD.example.", {"hostname": "bad.example"}),
        ("bad.example:8443", {"hostname": "bad.example", "port": "8443"}),
        ("münchen.example", {"hostname": "xn--mnchen-3ya.example"}),
        ("http://bad.example/a", {"url": "http://bad.example/a"}),
        ("hxxps://bad[.]example/a", {"url": "https://bad.example/a"}),
        ("bad.example/a?b=c", {"url": "http://bad.example/a?b=c"}),
        ("0.0.0.0 bad.example", {"hostname": "bad.example"}),
        ("ipset add bad 192.0.2.1", {"ip": "192.0.2.1"}),
        ("192.0.2.999", {"ip": "192.0.2.999"}),  # refused later, as an address
        ("192.0.2.0/33", {"reject": "ip.invalid"}),
        ("http://;;;", {"reject": "url.invalid"}),
        ("-bad-.example", {"reject": "host.invalid"}),
        ("some words", {"reject": "value.unknown"}),
        ("192.0.2.x", {"reject": "value.unknown"}),
        (None, {"reject": "value.unknown"}),
    ],
)
def test_value_is_told_by_what_it_looks_like(value: str | None, found: dict[str, str]) -> None:
    assert told(value) == found


def test_values_keep_their_order_whatever_their_kind() -> None:
    rows = pl.DataFrame({"line_number": [3, 4, 5], "value": ["bad.example", "192.0.2.1", "?"]})

    assert tell_apart(rows)["line_number"].to_list() == [3, 4, 5]


def test_networks_among_addresses_give_their_first_address() -> None:
    rows = pl.DataFrame({"ip": ["192.0.2.1", "198.51.100.0/24", None, "x/y"]})

    found = split_networks(rows, "ip")

    assert found["ip"].to_list() == ["192.0.2.1", "198.51.100.0", None, "x/y"]
    assert found["network"].to_list() == [None, "198.51.100.0/24", None, None]


def test_addresses_without_networks_stay_untouched() -> None:
    rows = pl.DataFrame({"ip": ["192.0.2.1", None]})

    assert split_networks(rows, "ip").equals(rows)
