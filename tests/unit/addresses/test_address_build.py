"""Who wins when sources disagree, and how the table is kept."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

import numpy as np
import pytest

from tansiq.addresses.build import BuildResult, NothingUsable, build, build_bundled
from tansiq.addresses.ranges import locate
from tansiq.addresses.table import AddressTable, BrokenTable, TableNotWritten, publish

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("routes-20260101.csv", "192.0.2.0/24,64496,MA", …)``: a table with the usual header."""
    (tmp_path / "in").mkdir()

    def write(name: str, *rows: str, header: str = "prefix,asn,cc") -> None:
        (tmp_path / "in" / name).write_text("\n".join([header, *rows, ""]))

    return write


@pytest.fixture
def built(tmp_path: Path) -> Callable[[], AddressTable]:
    return lambda: build([tmp_path / "in"]).table


def known(table: AddressTable, address: str) -> tuple[str | None, int, str]:
    """Network, AS number and country of an address, as the columns say."""
    number = int(ip_address(address))
    six = ":" in address
    space = table.v6 if six else table.v4
    key, low = (number >> 64, number & 2**64 - 1) if six else (number, 0)
    ranges = space.ranges
    row = locate(ranges.start, ranges.start_low, np.array([key], np.uint64), np.array([low], np.uint64))[0]
    length = int(space.prefix_length[row])
    start = int(ranges.start[row]) << 64 | int(ranges.start_low[row]) if six else int(ranges.start[row])
    family = IPv6Network if six else IPv4Network
    network = None if length == 255 else str(family((start, length), strict=False))
    return network, int(space.asn[row]), table.countries[space.country[row]]


def test_build_nested_routes_the_longest_prefix_wins_and_the_rest_stays(write: Write, built: Callable) -> None:
    write("r-20260101.csv", "192.0.2.0/24,64496,MA", "192.0.2.128/25,64497,TN", "2001:db8::/32,64498,DZ")

    table = built()

    assert known(table, "192.0.2.1") == ("192.0.2.0/24", 64496, "MA")
    assert known(table, "192.0.2.200") == ("192.0.2.128/25", 64497, "TN")
    assert known(table, "198.51.100.1") == (None, 0, "")
    assert known(table, "2001:db8::1") == ("2001:db8::/32", 64498, "DZ")


def test_build_a_newer_route_table_wins_over_a_longer_prefix_of_an_older_one(write: Write, built: Callable) -> None:
    write("old-20150101.csv", "192.0.2.0/25,64496,MA", "198.51.100.0/24,64499,DZ")
    write("new-20260101.csv", "192.0.2.0/24,64497,TN")

    table = built()

    assert known(table, "192.0.2.1") == ("192.0.2.0/24", 64497, "TN")
    assert known(table, "198.51.100.1") == ("198.51.100.0/24", 64499, "DZ")


def test_build_the_newest_source_with_a_country_decides_it(write: Write, built: Callable) -> None:
    write("routes-20260301.csv", "192.0.2.0/24,64496,ZZ", "198.51.100.0/24,64497,MA")
    write("places-20260201.csv", "192.0.2.0/25,TN", "198.51.100.0/25,TN", header="prefix,country_code")

    table = built()

    assert known(table, "192.0.2.1") == ("192.0.2.0/24", 64496, "TN")
    assert known(table, "192.0.2.129") == ("192.0.2.0/24", 64496, "")
    assert known(table, "198.51.100.1") == ("198.51.100.0/24", 64497, "MA")


def test_build_without_any_country_that_of_the_origin_as_counts_registry_before_names(
    tmp_path: Path, write: Write, built: Callable
) -> None:
    write("r-20260101.csv", "192.0.2.0/24,64496", "198.51.100.0/24,64497", header="prefix,asn")
    write("as-20200101.csv", "xaric,MA,AS64496", header="RIR,Country Code,ASN Number")
    names = {"64496": "X, TN", "64497": "Y, DZ"}
    (tmp_path / "in" / "names-20260401.json").write_text(json.dumps(names))

    table = built()

    assert known(table, "192.0.2.1")[2] == "MA"
    assert known(table, "198.51.100.1")[2] == "DZ"
    assert dict(zip(table.as_names.asn.tolist(), table.as_names.name, strict=True)) == {64496: "X", 64497: "Y"}
    assert table.as_of == date(2026, 1, 1)


def test_build_without_a_route_the_registered_block_is_the_prefix(write: Write, built: Callable) -> None:
    write("r-20260101.csv", "192.0.2.128/25,64496,MA")
    write("places-20260201.csv", "192.0.2.0/24,TN", header="prefix,country_code")

    table = built()

    assert known(table, "192.0.2.1") == ("192.0.2.0/24", 0, "TN")
    assert known(table, "192.0.2.129") == ("192.0.2.128/25", 64496, "TN")


def test_build_neighbours_of_one_as_keep_their_own_networks(write: Write, built: Callable) -> None:
    write("r-20260101.csv", "192.0.2.0/25,64496,MA", "192.0.2.128/25,64496,MA")

    table = built()

    assert known(table, "192.0.2.129")[0] == "192.0.2.128/25"


def test_build_prefixes_beyond_64_bits_are_exact(write: Write, built: Callable) -> None:
    write("r-20260101.csv", "2001:db8::/48,64496,MA", "2001:db8::8000:0:0:0/65,64497,TN", "2001:db8::5/128,64498,DZ")

    table = built()

    assert known(table, "2001:db8::4") == ("2001:db8::/48", 64496, "MA")
    assert known(table, "2001:db8::5") == ("2001:db8::5/128", 64498, "DZ")
    assert known(table, "2001:db8::6") == ("2001:db8::/48", 64496, "MA")
    assert known(table, "2001:db8::ffff:0:0:1") == ("2001:db8:0:0:8000::/65", 64497, "TN")
    assert known(table, "2001:db8:0:1::") == ("2001:db8::/48", 64496, "MA")


def test_build_a_default_route_and_the_last_address_are_covered(write: Write, built: Callable) -> None:
    write("r-20260101.csv", "0.0.0.0/0,64496,MA", "255.255.255.255/32,64497,TN", "::/0,64498,DZ")

    table = built()

    assert known(table, "203.0.113.1") == ("0.0.0.0/0", 64496, "MA")
    assert known(table, "255.255.255.255") == ("255.255.255.255/32", 64497, "TN")
    assert known(table, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == ("::/0", 64498, "DZ")


def test_build_damaged_and_foreign_files_are_left_aside_and_the_others_used(tmp_path: Path, write: Write) -> None:
    write("r-20260101.csv", "192.0.2.0/24,64496,MA")
    below = tmp_path / "in" / "below"
    below.mkdir()
    (below / "README").write_text("tables\n")
    (below / "cut.csv").write_text("prefix,asn,cc\n198.51.100.0/24,64497,TN\n203.0.113.0/24,6")

    result = build([tmp_path / "in"])

    reasons = {skipped.file: skipped.error.code for skipped in result.skipped}
    assert reasons == {"below/README": "addresses.source.unknown", "below/cut.csv": "addresses.source.cut"}
    assert known(result.table, "192.0.2.1")[1] == 64496
    assert known(result.table, "198.51.100.1")[1] == 0
    assert result.table.counts == {"prefixes4": 1, "prefixes6": 0, "asns": 1, "countries": 1}
    assert result.table.sources == [
        {"file": "r-20260101.csv", "format": "route-csv", "rows": 1, "date": "2026-01-01"},
    ]


def test_build_nothing_usable_is_an_error_with_every_reason(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("nothing\n")

    with pytest.raises(NothingUsable) as refusal:
        build([tmp_path])

    assert [skipped.file for skipped in refusal.value.skipped] == ["README"]
    assert refusal.value.exit_code == 3


@pytest.fixture
def result(tmp_path: Path, write: Write) -> BuildResult:
    write("r-20260101.csv", "192.0.2.0/24,64496,MA", "2001:db8::/65,64497,TN")
    return build([tmp_path / "in"])


def test_table_saved_and_opened_says_the_same(tmp_path: Path, result: BuildResult) -> None:
    publish(result.table, tmp_path / "tables", now=NOW)

    table = AddressTable.current(tmp_path / "tables")

    assert table is not None
    assert known(table, "192.0.2.9") == ("192.0.2.0/24", 64496, "MA")
    assert known(table, "2001:db8::9") == ("2001:db8::/65", 64497, "TN")
    assert (table.countries, table.as_of, table.counts) == (["", "MA", "TN"], date(2026, 1, 1), result.table.counts)
    assert table.stamp == "addresses-20260506T070809000000"


def test_table_before_the_first_one_is_none(tmp_path: Path) -> None:
    assert AddressTable.current(tmp_path) is None


def test_table_published_again_leaves_two_and_points_to_the_newest(tmp_path: Path, result: BuildResult) -> None:
    for day in (1, 2, 3):
        publish(result.table, tmp_path / "tables", now=datetime(2026, 5, day, tzinfo=UTC))

    folders = sorted(path.name for path in (tmp_path / "tables").iterdir())

    assert folders == ["addresses-20260502T000000000000", "addresses-20260503T000000000000", "addresses.json"]
    table = AddressTable.current(tmp_path / "tables")
    assert table is not None
    assert table.stamp == "addresses-20260503T000000000000"


@pytest.mark.parametrize("file", ["v4.start.npy", "v6.country.npy", "as_names.parquet", "table.json"])
@pytest.mark.parametrize("left", [None, 0, 40])
def test_table_with_a_file_missing_or_cut_is_broken(
    tmp_path: Path, result: BuildResult, file: str, left: int | None
) -> None:
    path = publish(result.table, tmp_path / "tables", now=NOW) / file
    if left is None:
        path.unlink()
    else:
        os.truncate(path, left)

    with pytest.raises(BrokenTable):
        AddressTable.current(tmp_path / "tables")


def test_table_that_cannot_be_written_leaves_the_one_in_use(tmp_path: Path, result: BuildResult) -> None:
    tables = tmp_path / "tables"
    publish(result.table, tables, now=NOW)

    with pytest.raises(TableNotWritten):
        publish(replace(result.table, as_of=date(2026, 1, 2)), tables, now=NOW)  # its folder is there already

    table = AddressTable.current(tables)
    assert table is not None
    assert table.as_of == date(2026, 1, 1)
    assert sorted(path.name for path in tables.iterdir()) == ["addresses-20260506T070809000000", "addresses.json"]


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file of this process may grow beyond a few bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_table_on_a_full_disk_is_refused_and_leaves_nothing(
    tmp_path: Path, result: BuildResult, full_disk: None
) -> None:
    with pytest.raises(TableNotWritten) as refusal:
        publish(result.table, tmp_path / "tables", now=NOW)

    assert refusal.value.exit_code == 4
    assert list((tmp_path / "tables").iterdir()) == []


def test_table_left_half_written_by_a_killed_process_is_cleared_away_after_a_day(
    tmp_path: Path, result: BuildResult
) -> None:
    for name, at in ((".addresses-old.1", datetime(2026, 5, 4, tzinfo=UTC)), (".addresses-busy.2", NOW)):
        (tmp_path / "tables" / name).mkdir(parents=True)
        os.utime(tmp_path / "tables" / name, (0, at.timestamp()))

    publish(result.table, tmp_path / "tables", now=NOW)

    hidden = sorted(path.name for path in (tmp_path / "tables").glob(".addresses-*"))
    assert hidden == [".addresses-busy.2"]


def test_bundled_table_agrees_with_the_packages_own_look_up() -> None:
    from geoip2fast import GeoIP2Fast
    from geoip2fast import geoip2fast as package

    table = build_bundled().table
    lookup = GeoIP2Fast(geoip2fast_data_file=str(Path(package.__file__).with_name("geoip2fast-ipv6.dat.gz"))).lookup
    rng = np.random.default_rng(20240618)
    four = [str(ip_address(int(number))) for number in rng.integers(1 << 24, 223 << 24, 500)]
    six = [str(ip_address((0x2A << 120) | int(number) << 64)) for number in rng.integers(0, 1 << 56, 500)]

    ours = [known(table, address)[2] for address in four + six]

    theirs = [lookup(address).country_code.replace("--", "").replace("EU", "") for address in four + six]
    assert ours == theirs
    assert len({*ours}) > 30
    assert table.as_of == date(2024, 6, 18)
