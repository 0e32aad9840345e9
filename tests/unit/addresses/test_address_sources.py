"""What each format says, and how each shows that it is damaged."""

from __future__ import annotations

import gzip
import json
import os
from datetime import UTC, date, datetime
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path

import pytest
from mmdb_writer import mmdb

from tansiq.addresses.sources import read_source
from tansiq.addresses.sources.content import (
    BadSource,
    CutSource,
    EmptySource,
    GarbledSource,
    IncompleteSource,
    Source,
    UnknownSource,
    UnreadableSource,
)
from tansiq.addresses.text import MAPPED, format_addresses

DELEGATED = """\
2.3|xaric|20260505|6|19870101|20260506|+0100
xaric|*|ipv4|*|4|summary
xaric|*|ipv6|*|1|summary
xaric|*|asn|*|3|summary
xaric|MA|ipv4|192.0.2.0|192|20200101|allocated|A1
xaric|UK|ipv4|198.51.100.0|256|20200101|assigned|A2
xaric|ZZ|ipv4|203.0.113.0|128||reserved|
xaric||ipv4|203.0.113.128|128||available
xaric|TN|ipv6|2001:db8::|32|20200101|allocated|A3
xaric|MA|asn|64496|3|20200101|allocated|A1
xaric||asn|64500|1||available
xaric|EU|asn|64501|1|20200101|assigned|A4
"""
PYASN = """\
; IP-ASN32-DAT file
; Original file : rib.20151101.0600.bz2
; Prefixes-v4   : 2
; Prefixes-v6   : 1
192.0.2.0/24\t64496
192.0.2.128/25\t64497
2001:db8::/32\t64498
"""


def source(tmp_path: Path, content: str | bytes, name: str = "table") -> Source:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_source(path, shown=name)


def prefixes(found: Source) -> list[tuple[str, int | None, str | None]]:
    """(prefix, AS number, country) of each row, as people write them."""
    rows = []
    for version, start, low, length, asn, country in found.prefixes.rows():
        words = (0, start | int(MAPPED)) if version == 4 else (start, low)
        text = format_addresses(*([word] for word in words))[0]
        rows.append((f"{text}/{length}", asn, country))
    return rows


def systems(found: Source) -> list[tuple[int, str | None, str | None]]:
    return sorted(found.systems.rows())


def test_delegated_all_oddities_give_blocks_and_systems_with_their_countries(tmp_path: Path) -> None:
    found = source(tmp_path, DELEGATED)

    assert found.format == "delegated"
    assert sorted(prefixes(found)) == [
        ("192.0.2.0/25", None, "MA"),
        ("192.0.2.128/26", None, "MA"),
        ("198.51.100.0/24", None, "GB"),
        ("2001:db8::/32", None, "TN"),
    ]
    assert systems(found) == [(64496, None, "MA"), (64497, None, "MA"), (64498, None, "MA")]
    assert found.dated == date(2026, 5, 6)
    assert found.registry


def test_delegated_fewer_rows_than_stated_is_incomplete(tmp_path: Path) -> None:
    cut = DELEGATED[: DELEGATED.index("xaric||asn|64500")]

    with pytest.raises(IncompleteSource) as refusal:
        source(tmp_path, cut)

    assert refusal.value.values == {"kind": "asn", "stated": 3, "found": 1}


@pytest.mark.parametrize("count", [1, 3, 255, 768, 65_537, 2**32])
@pytest.mark.parametrize("start", ["0.0.0.0", "192.0.2.0", "192.0.2.1"])
def test_delegated_any_ipv4_count_is_covered_exactly_once(tmp_path: Path, start: str, count: int) -> None:
    text = f"2|xaric|20260505|1|19870101|20260505|0\nxaric|MA|ipv4|{start}|{count}|20200101|allocated\n"

    found = source(tmp_path, text)

    networks = sorted(ip_network(prefix) for prefix, _asn, _country in prefixes(found))
    first = int(ip_network(start).network_address)
    assert int(networks[0].network_address) == first
    assert sum(network.num_addresses for network in networks) == min(count, 2**32 - first)
    assert all(int(a.broadcast_address) + 1 == int(b.network_address) for a, b in pairwise(networks))


def test_pyasn_prefixes_and_date_of_its_comments_are_read(tmp_path: Path) -> None:
    found = source(tmp_path, PYASN)

    assert (found.format, found.dated, found.rows) == ("pyasn", date(2015, 11, 1), 3)
    assert prefixes(found) == [
        ("192.0.2.0/24", 64496, None),
        ("192.0.2.128/25", 64497, None),
        ("2001:db8::/32", 64498, None),
    ]


def test_pyasn_fewer_prefixes_than_stated_is_incomplete(tmp_path: Path) -> None:
    with pytest.raises(IncompleteSource):
        source(tmp_path, PYASN.replace("192.0.2.128/25\t64497\n", ""))


def test_route_csv_zero_and_empty_origin_still_tell_the_country(tmp_path: Path) -> None:
    found = source(tmp_path, "prefix,asn,cc\n192.0.2.0/24,64496,MA\n198.51.100.0/24,0,UK\n2001:db8::/32,,ZZ\n")

    assert found.format == "route-csv"
    assert prefixes(found) == [
        ("192.0.2.0/24", 64496, "MA"),
        ("198.51.100.0/24", None, "GB"),
        ("2001:db8::/32", None, None),
    ]


def test_route_csv_quotes_byte_order_mark_crlf_names_and_host_bits_are_read(tmp_path: Path) -> None:
    text = (
        '\ufeff"network","as_number","as_name"\r\n"192.0.2.77/24","AS64496","Agency, of X"\r\n192.0.2.1,AS64497,Y\r\n'
    )

    found = source(tmp_path, text)

    assert prefixes(found) == [("192.0.2.0/24", 64496, None), ("192.0.2.1/32", 64497, None)]
    assert systems(found) == [(64496, "Agency, of X", None), (64497, "Y", None)]


def test_country_csv_prefixes_are_read_with_the_date_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "world-20260201"
    folder.mkdir()

    found = source(folder, "prefix,country_code\n192.0.2.0/24,MA\n2001:db8::/32,tn\n")

    assert (found.format, found.dated) == ("country-csv", date(2026, 2, 1))
    assert prefixes(found) == [("192.0.2.0/24", None, "MA"), ("2001:db8::/32", None, None)]


def test_country_json_both_families_are_read(tmp_path: Path) -> None:
    document = {"country": "X", "countryCode": "MA", "prefixes": {"ipv4": ["192.0.2.0/24"], "ipv6": ["2001:db8::/32"]}}

    found = source(tmp_path, json.dumps(document), "ma-2026-02-03.json")

    assert (found.format, found.dated) == ("country-json", date(2026, 2, 3))
    assert prefixes(found) == [("192.0.2.0/24", None, "MA"), ("2001:db8::/32", None, "MA")]


def test_asn_csv_numbers_of_a_registry_are_read(tmp_path: Path) -> None:
    text = "RIR,Country Code,ASN Number,Allocated Date\nxaric,MA,AS64496,20200101\nxaric,EU,AS64497,00000000\n"

    found = source(tmp_path, text)

    assert (found.format, found.registry) == ("asn-csv", True)
    assert systems(found) == [(64496, None, "MA"), (64497, None, None)]


def test_as_names_the_country_is_what_follows_the_last_comma(tmp_path: Path) -> None:
    names = {"64496": "X-AS Agency, of X, MA", "64497": "-Reserved AS-, ZZ", "64498": "Y, na", "64499": "plain"}

    found = source(tmp_path, json.dumps(names))

    assert found.format == "as-names"
    assert systems(found) == [
        (64496, "X-AS Agency, of X", "MA"),
        (64497, "-Reserved AS-", None),
        (64498, "Y", None),
        (64499, "plain", None),
    ]


LAYOUTS = {
    "geolite2-country": ({"country": {"iso_code": "MA"}}, None, None, "MA"),
    "geolite2-registered": ({"registered_country": {"iso_code": "MA"}}, None, None, "MA"),
    "geolite2-asn": ({"autonomous_system_number": 64496, "autonomous_system_organization": "X"}, 64496, "X", None),
    "ipinfo-lite": ({"asn": "AS64496", "as_name": "X", "country": "Morocco", "country_code": "MA"}, 64496, "X", "MA"),
    "ipinfo-country-asn": ({"asn": "AS64496", "as_name": "X", "country": "MA"}, 64496, "X", "MA"),
    "enterprise": ({"traits": {"autonomous_system_number": 64496}, "country": {"iso_code": "MA"}}, 64496, None, "MA"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_mmdb_any_key_layout_gives_system_and_country(tmp_path: Path, layout: str) -> None:
    record, asn, name, country = LAYOUTS[layout]

    found = source(tmp_path, mmdb({"192.0.2.0/24": record, "2001:db8::/32": record}, built=1_770_000_000))

    assert (found.format, found.dated) == ("mmdb", date(2026, 2, 2))
    assert prefixes(found) == [("192.0.2.0/24", asn, country), ("2001:db8::/32", asn, country)]
    assert systems(found) == ([(asn, name, None)] if name else [])


@pytest.mark.parametrize("record_size", [24, 28, 32])
@pytest.mark.parametrize("ip_version", [4, 6])
def test_mmdb_nested_networks_any_record_size_are_cut_where_they_differ(
    tmp_path: Path, record_size: int, ip_version: int
) -> None:
    table = {"192.0.2.0/24": {"country_code": "MA"}, "192.0.2.128/26": {"country_code": "TN"}}

    found = source(tmp_path, mmdb(table, record_size=record_size, ip_version=ip_version))

    assert sorted(prefixes(found)) == [
        ("192.0.2.0/25", None, "MA"),
        ("192.0.2.128/26", None, "TN"),
        ("192.0.2.192/26", None, "MA"),
    ]


def test_mmdb_aliases_of_ipv4_are_not_taken_for_ipv6(tmp_path: Path) -> None:
    table = {"192.0.2.0/24": {"country_code": "MA"}, "2001:db8::/48": {"country_code": "TN"}}

    found = source(tmp_path, mmdb(table, aliases=1))

    assert sorted(prefixes(found)) == [("192.0.2.0/24", None, "MA"), ("2001:db8::/48", None, "TN")]


def test_mmdb_without_what_we_ask_for_is_empty(tmp_path: Path) -> None:
    with pytest.raises(EmptySource):
        source(tmp_path, mmdb({"192.0.2.0/24": {"is_anonymous": 1}}))


def test_mmdb_tree_that_leads_beyond_its_data_is_unreadable(tmp_path: Path) -> None:
    whole = mmdb({"192.0.2.0/24": {"country_code": "MA"}, "2001:db8::/32": {"country_code": "TN"}})
    marker = whole.rindex(b"\xab\xcd\xef")

    with pytest.raises(UnreadableSource):
        source(tmp_path, whole[:300] + whole[marker:])


@pytest.mark.parametrize("content", [DELEGATED, PYASN, mmdb({"192.0.2.0/24": {"country_code": "MA"}})])
def test_any_format_packed_says_the_same(tmp_path: Path, content: str | bytes) -> None:
    raw = content.encode() if isinstance(content, str) else content

    packed = source(tmp_path, gzip.compress(raw), "table.gz")

    assert prefixes(packed) == prefixes(source(tmp_path, raw))
    assert systems(packed) == systems(source(tmp_path, raw))


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (gzip.compress(PYASN.encode() * 50, mtime=0)[:60], CutSource),
        (b"\x1f\x8b" + b"rubbish" * 20, UnreadableSource),
        (PYASN[:-8], CutSource),
        ("prefix,asn,cc\n192.0.2.0/24,64496,MA\n198.51.100.0/24,644", CutSource),
        ("prefix,asn,cc\n192.0.2.0/24,64496,MA\n198.51.100.0/24,64496,MA,too,many\n", CutSource),
        ("prefix,asn,cc\n192.0.2.0/24,64496,MA\nno prefix,64496,MA\n", GarbledSource),
        ("prefix,asn,cc\n192.0.2.0/24,sixty,MA\n", GarbledSource),
        ('{"64496": "X, MA", "64497": "Y,', CutSource),
        ('{"countryCode": "MA", "prefixes": {"ipv4": ["192.0.2.0/24", "19', CutSource),
        ('{"countryCode": "MA", "prefixes": {"ipv4": ["rubbish"]}}', GarbledSource),
        ("# Read me\nThese are tables.\n", UnknownSource),
        ('{"anything": ["else"]}', UnknownSource),
        ("[]", UnknownSource),
        ("{]", UnknownSource),
        (bytes(range(256)) * 40, UnknownSource),
        ("\0" * 5000, UnknownSource),
        ("", EmptySource),
        ("prefix,asn,cc\n", EmptySource),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_with_its_reason(
    tmp_path: Path, content: str | bytes, refusal: type[BadSource]
) -> None:
    with pytest.raises(refusal) as refused:
        source(tmp_path, content)

    assert type(refused.value) is refusal
    assert str(refused.value)


def test_a_file_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource):
        read_source(tmp_path / "absent", shown="absent")


def test_a_source_without_any_date_is_as_old_as_its_file(tmp_path: Path) -> None:
    path = tmp_path / "prefixes.csv"
    path.write_text("prefix,asn\n192.0.2.0/24,64496\n")
    os.utime(path, (0, datetime(2025, 3, 4, tzinfo=UTC).timestamp()))

    found = read_source(path, shown="prefixes.csv")

    assert found.dated == date(2025, 3, 4)
