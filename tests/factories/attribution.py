"""Small address tables, claims and events for tests of attribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tansiq.addresses.ranges import flatten
from tansiq.addresses.table import NO_PREFIX, AddressTable, AsCountries, AsNames, Space, empty_space
from tansiq.attribution.compile import compile_table
from tansiq.attribution.folder import Pointer, folder_name
from tansiq.attribution.table import AttributionTable
from tansiq.attribution.whois import Whois
from tansiq.core.claims import Claim, TeamCard
from tansiq.core.columns import PARSED

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
AS_OF = date(2026, 1, 10)
LOW = (1 << 64) - 1

Route = tuple[str, int, str]


def address_table(
    routes: Iterable[Route] = (), *, names: Mapping[int, str] | None = None, registered: Mapping[int, str] | None = None
) -> AddressTable:
    """A table of (prefix, AS, country) rows; 0 and "" where the table is to know none."""
    routes, names, registered = list(routes), names or {}, registered or {}
    countries = sorted({"", *(country for _p, _a, country in routes), *registered.values()})
    return AddressTable(
        v4=_space(4, routes, countries),
        v6=_space(6, routes, countries),
        countries=countries,
        as_names=AsNames(
            np.array(sorted(names), np.uint32), pl.Series([names[n] for n in sorted(names)], dtype=pl.String)
        ),
        asn_countries=AsCountries(
            np.array(sorted(registered), np.uint32),
            np.array([countries.index(registered[number]) for number in sorted(registered)], np.uint16),
        ),
        as_of=AS_OF,
    )


def _space(version: int, routes: Sequence[Route], countries: list[str]) -> Space:
    chosen = [(ip_network(prefix), asn, country) for prefix, asn, country in routes]
    chosen = [route for route in chosen if route[0].version == version]
    if not chosen:
        return empty_space(version)
    ranges, owner = flatten(
        version,
        np.array([_high(network) for network, _a, _c in chosen], np.uint64),
        np.array([_low(network) for network, _a, _c in chosen], np.uint64),
        np.array([network.prefixlen for network, _a, _c in chosen], np.uint8),
    )
    return Space(
        ranges,
        np.array([*(asn for _n, asn, _c in chosen), 0], np.uint32)[owner],
        np.array([*(network.prefixlen for network, _a, _c in chosen), NO_PREFIX], np.uint8)[owner],
        np.array([*(countries.index(country) for _n, _a, country in chosen), 0], np.uint16)[owner],
    )


def _high(network: IPv4Network | IPv6Network) -> int:
    return int(network.network_address) >> (64 if network.version == 6 else 0)


def _low(network: IPv4Network | IPv6Network) -> int:
    return int(network.network_address) & LOW if network.version == 6 else 0


def compiled(
    tables: Path,
    claims: Sequence[Claim] = (),
    *,
    addresses: AddressTable | None = None,
    teams: Sequence[TeamCard] = (),
    number: int = 7,
) -> AttributionTable:
    """Compile into ``tables``, point to it and open it."""
    into = tables / folder_name(number, "test")
    compile_table(addresses=addresses, claims=claims, teams=teams, number=number, into=into)
    Pointer(tables).move(into.name)
    return AttributionTable.open(into)


def whois(tables: Path, claims: Sequence[Claim] = (), **more: Any) -> Whois:
    compiled(tables, claims, **more)
    opened = Whois.open(tables)
    assert opened
    return opened


def events(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Events of the given columns; ``ip`` also fills the columns that a parser derives from it."""
    return pl.DataFrame([_event(row) for row in rows], schema=PARSED)


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = dict.fromkeys(PARSED) | {"line_number": 1, "observed_at": NOON} | dict(row)
    if event["ip"]:
        address = ip_address(event["ip"])
        bits = int(address) | (0xFFFF << 32 if address.version == 4 else 0)
        event |= {"ip_version": address.version, "ip_hi": bits >> 64, "ip_lo": bits & LOW}
    return event
