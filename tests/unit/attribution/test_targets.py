"""What people ask about, however they wrote it."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

import polars as pl
import pytest

from tansiq.addresses.names import clean_hostnames
from tansiq.attribution.targets import BadTarget, Block, Country, Name, System, read


def block(text: str) -> Block:
    network: IPv4Network | IPv6Network = ip_network(text)
    return Block(network.version, int(network[0]), int(network[-1]), network.prefixlen)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", block("192.0.2.1/32")),
        (" 192.0.2.1\n", block("192.0.2.1/32")),
        ("192[.]0[.]2[.]1", block("192.0.2.1/32")),
        ("192.0.2.0/24", block("192.0.2.0/24")),
        ("192.0.2.7/24", block("192.0.2.0/24")),
        ("192.0.2.1:8080", block("192.0.2.1/32")),
        ("0.0.0.0/0", block("0.0.0.0/0")),
        ("2001:db8::1", block("2001:db8::1/128")),
        ("2001:DB8::/32", block("2001:db8::/32")),
        ("[2001:db8::1]:443", block("2001:db8::1/128")),
        ("::ffff:192.0.2.1", block("192.0.2.1/32")),
        ("::ffff:192.0.2.0/120", block("192.0.2.0/24")),
        ("http://192.0.2.1/a?b=c", block("192.0.2.1/32")),
        ("https://[2001:db8::1]:8443/", block("2001:db8::1/128")),
        ("AS64496", System(64496)),
        ("as 4200000000", System(4200000000)),
        ("MA", Country("MA")),
        ("ma", Country("MA")),
        ("gov.example", Name("gov.example")),
        ("GOV.Example.", Name("gov.example")),
        ("example.", Name("example")),
        ("www.gov.example/a/b", Name("www.gov.example")),
        ("hxxps://user:secret@www[.]gov.example:8443/a", Name("www.gov.example")),
        ("someone@gov.example", Name("gov.example")),
        ("_dmarc.gov.example", Name("_dmarc.gov.example")),
        ("münchen.example", Name("xn--mnchen-3ya.example")),
        ("موقع.example", Name("xn--4gbrim.example")),
    ],
)
def test_read_of_anything_people_write_gives_what_they_mean(text: str, expected: object) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-", "192.0.2.0/33", "192.0.2.256", "192.0.2.1/a", "2001:db8::/129", "2001:db8:::1", "fe80::1%eth0"),
        *(
            "AS0",
            "AS4294967296",
            "64496",
            "1.2.3",
            "a..example",
            "-a.example",
            "a b.example",
            "http://",
            "M",
            "M1!",
        ),
        *("a" * 64 + ".example", ".".join(["abc"] * 70), "http://[2001:db8::1/", "exam\udcffple.example", "host.0x1f"),
    ],
)
def test_read_of_rubbish_is_refused_with_the_text(text: str) -> None:
    with pytest.raises(BadTarget) as refused:
        read(text)

    assert refused.value.values == {"target": text}
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    "name",
    [
        "a.example",
        "A.Example.",
        "_x.example",
        "a-.example",
        "-a.example",
        "a.0x1",
        "a.1",
        "a..b",
        "é.example",
        "example.",
    ],
)
def test_read_of_host_agrees_with_the_columns(name: str) -> None:
    try:
        target = read(name)
    except BadTarget:
        target = Name("")

    assert isinstance(target, Name)
    assert clean_hostnames(pl.Series([name])).to_list() == [target.name or None]
