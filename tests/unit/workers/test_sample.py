from __future__ import annotations

import ipaddress
import json
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tansiq.addresses.ranges import Ranges
from tansiq.addresses.table import AddressTable, AsCountries, AsNames, Space, empty_space
from tansiq.workers.sample import DAYS, LINES, NoAllocations, write_sample

TODAY = date(2026, 11, 22)


def space(version: int, *rows: tuple[str, int, int]) -> Space:
    """Ranges by their first address, with AS number and country index."""
    numbers = [int(ipaddress.ip_address(first)) for first, _, _ in rows]
    start = np.array([number if version == 4 else number >> 64 for number in numbers], np.uint64)
    ranges = Ranges(version, start, np.zeros(len(rows), np.uint64))
    asn, country = (np.array([row[place] for row in rows]) for place in (1, 2))
    return Space(ranges, asn.astype(np.uint32), np.full(len(rows), 24, np.uint8), country.astype(np.uint16))


def table(v4: Space, v6: Space) -> AddressTable:
    names = AsNames(np.zeros(0, np.uint32), pl.Series([], dtype=pl.String))
    registered = AsCountries(np.zeros(0, np.uint32), np.zeros(0, np.uint16))
    return AddressTable(v4, v6, ["", "XA", "XE", "XF"], names, registered, TODAY)


V4 = space(
    4,
    ("0.0.0.0", 0, 0),
    ("192.0.2.0", 64496, 1),
    ("192.0.3.0", 0, 0),
    ("198.51.100.0", 64497, 2),
    ("198.51.101.0", 0, 0),
    ("203.0.113.0", 0, 3),
    ("203.0.114.0", 0, 0),
)
V6 = space(6, ("::", 0, 0), ("2001:db8::", 64496, 1), ("2001:db9::", 0, 0))
TABLE = table(V4, V6)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_sample(TABLE, ["XA", "XF"], tmp_path_factory.mktemp("sample"), today=TODAY)


def test_sample_has_exactly_the_lines_it_promises(written: list[Path]) -> None:
    assert sum(path.read_bytes().count(b"\n") for path in written) == LINES


def test_sample_of_a_week_is_marked_in_every_file_name_and_dated_before_today(written: list[Path]) -> None:
    days = {path.name[:10] for path in written}

    assert all("sample" in path.name for path in written)
    assert days == {f"2026-11-{day}" for day in range(22 - DAYS, 22)}


def test_sample_hosts_lie_within_the_allocations_of_the_states_asked_for(written: list[Path]) -> None:
    reports = [path for path in written if "scan_telnet" in path.name]
    lines = [line.split(",") for path in reports for line in path.read_text().splitlines()[1:]]
    whole = [(fields[2].strip('"'), fields[8].strip('"')) for fields in lines if len(fields) >= 10]

    allowed = {"XA": ipaddress.ip_network("192.0.2.0/24"), "XF": ipaddress.ip_network("203.0.113.0/24")}
    assert len(whole) > 40_000
    assert {country for _, country in whole} == set(allowed)
    assert all(ipaddress.ip_address(ip) in allowed[country] for ip, country in set(whole))


def test_sample_of_sinkholes_has_ipv6_hosts(written: list[Path]) -> None:
    report = next(path for path in written if "event6_sinkhole" in path.name)
    hosts = [line.split(",")[2].strip('"') for line in report.read_text().splitlines()[1:10] if line.count(",") == 13]

    assert hosts
    assert all(ipaddress.ip_address(host) in ipaddress.ip_network("2001:db8::/32") for host in hosts)


def test_sample_as_json_lines_is_json_but_for_the_broken_ones(written: list[Path]) -> None:
    report = next(path for path in written if path.suffix == ".jsonl")
    lines = [line for line in report.read_text().splitlines() if line]

    whole = 0
    for line in lines:
        try:
            assert json.loads(line)["classification.type"] == "phishing"
            whole += 1
        except json.JSONDecodeError:
            continue
    assert 0.99 * len(lines) < whole < len(lines)


def test_sample_written_twice_is_the_same(written: list[Path], tmp_path: Path) -> None:
    again = write_sample(TABLE, ["XA", "XF"], tmp_path, today=TODAY)

    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in written]


def test_sample_without_ipv6_allocations_still_has_all_its_lines(tmp_path: Path) -> None:
    paths = write_sample(table(V4, empty_space(6)), ["XA"], tmp_path, today=TODAY)

    assert sum(path.read_bytes().count(b"\n") for path in paths) == LINES


def test_sample_for_states_without_any_allocation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoAllocations):
        write_sample(TABLE, ["XZ"], tmp_path, today=TODAY)

    assert list(tmp_path.iterdir()) == []
