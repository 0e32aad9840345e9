"""The whole world, against a plain longest-prefix match written here only."""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

import numpy as np
import pytest

from tansiq.addresses.build import BuildResult, build
from tansiq.addresses.ranges import locate
from tansiq.addresses.table import AddressTable

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "ip"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"real address tables are not at {DATA}")

Plain = dict[tuple[int, int, int], str]  # (version, length, network bits) -> what is known


@pytest.fixture(scope="module")
def world() -> BuildResult:
    return build([DATA])


def places(file: str) -> Iterator[tuple[str, str]]:
    with gzip.open(DATA / "ipverse-20260201" / file, "rt") as lines:
        for row in csv.DictReader(lines):
            yield row["prefix"], row["country_code"]


def routes() -> Iterator[tuple[str, str]]:
    with gzip.open(DATA / "bgp" / "ipasn6_20151101.dat.gz", "rt") as lines:
        for line in lines:
            if not line.startswith(";"):
                prefix, asn = line.split()
                yield prefix, asn


def plain(rows: Iterator[tuple[str, str]]) -> Plain:
    table: Plain = {}
    for prefix, value in rows:
        network = ip_network(prefix)
        bits = network.max_prefixlen - network.prefixlen
        table[network.version, network.prefixlen, int(network.network_address) >> bits] = value
    return table


def longest(table: Plain, address: str) -> str | None:
    parsed = ip_address(address)
    width = parsed.max_prefixlen
    keys = ((parsed.version, length, int(parsed) >> (width - length)) for length in range(width, -1, -1))
    return next((table[key] for key in keys if key in table), None)


def columns(table: AddressTable, address: str) -> tuple[int, str]:
    number = int(ip_address(address))
    six = ":" in address
    space = table.v6 if six else table.v4
    high, low = (number >> 64, number & 2**64 - 1) if six else (number, 0)
    keys = np.array([high], np.uint64), np.array([low], np.uint64)
    row = locate(space.ranges.start, space.ranges.start_low, *keys)[0]
    return int(space.asn[row]), table.countries[space.country[row]]


def some_addresses(prefixes: list[str], count: int) -> list[str]:
    """Within the prefixes, at their edges and just beyond."""
    draw = random.Random(57)
    found = []
    for prefix in draw.sample(prefixes, count):
        network = ip_network(prefix)
        first, last = int(network.network_address), int(network.broadcast_address)
        number = draw.choice([first, last, first + draw.randrange(last - first + 1), min(last + 1, 2**32 - 1)])
        found.append(str(type(network.network_address)(number)))
    return found


def test_build_all_real_tables_are_used_none_left_aside(world: BuildResult) -> None:
    files = [path for path in DATA.rglob("*") if path.is_file()]

    assert world.skipped == []
    assert len(world.table.sources) == len(files)
    assert world.table.as_of.isoformat() == "2026-05-05"
    formats = {source["format"] for source in world.table.sources}
    assert formats == {"delegated", "pyasn", "country-csv", "country-json", "asn-csv", "as-names"}


def test_build_origin_of_real_addresses_agrees_with_longest_prefix_match(world: BuildResult) -> None:
    table = plain(routes())
    prefixes = [prefix for prefix, _asn in routes()]
    addresses = some_addresses([p for p in prefixes if ":" not in p], 3000)
    addresses += some_addresses([p for p in prefixes if ":" in p], 1000)

    ours = [columns(world.table, address)[0] for address in addresses]

    assert ours == [int(longest(table, address) or 0) for address in addresses]


@pytest.mark.parametrize("file", ["ipv4-country.csv.gz", "ipv6-country.csv.gz"])
def test_build_country_of_real_addresses_agrees_with_longest_prefix_match(file: str) -> None:
    source = DATA / "ipverse-20260201" / file
    table = plain(places(file))
    addresses = some_addresses([prefix for prefix, _code in places(file)], 2000)

    built = build([source]).table

    expected = [(longest(table, address) or "").replace("EU", "") for address in addresses]
    assert [columns(built, address)[1] for address in addresses] == expected


def test_build_all_57_states_have_addresses_in_both_families(world: BuildResult) -> None:
    folder = DATA / "ipverse-20260201" / "oic-aggregated-json"
    states = {path.stem.upper() for path in folder.glob("*.json")}

    for space in (world.table.v4, world.table.v6):
        present = {world.table.countries[index] for index in np.unique(space.country)}
        assert states - present == set()
    assert len(states) == 57


@pytest.mark.parametrize("registry", ["afrinic-extended-20260505", "lacnic-extended-20240106"])
def test_build_registered_blocks_cover_exactly_the_addresses_stated(registry: str) -> None:
    source = DATA / "delegated" / f"delegated-{registry}.txt.gz"
    held = []
    with gzip.open(source, "rt") as lines:
        for line in lines:
            row = line.rstrip("\n").split("|")
            if (
                len(row) > 6
                and row[2] == "ipv4"
                and row[6] in ("allocated", "assigned")
                and row[1] not in ("", "ZZ", "EU")
            ):
                held.append(int(row[4]))

    space = build([source]).table.v4

    size = np.diff(np.append(space.ranges.start, np.uint64(1 << 32)))
    assert int(size[space.country > 0].sum()) == sum(held)
