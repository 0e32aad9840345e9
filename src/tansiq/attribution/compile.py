"""Compile claims and address tables into one flat table: enriching and attributing an event become one search."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.addresses.ranges import Ranges, network, overlay
from tansiq.addresses.table import NO_PREFIX, AddressTable, AsCountries, AsNames, Space, empty_space
from tansiq.addresses.text import format_addresses
from tansiq.attribution import folder
from tansiq.attribution.blocks import Blocks
from tansiq.attribution.register import Numbers, Register
from tansiq.attribution.verdicts import NOBODY, Timeline, timeline
from tansiq.core.claims import KINDS, Claim, Kind, TeamCard

Columns = dict[str, NDArray[Any]]
Texts = Mapping[str, Sequence[str] | pl.Series]
ByValue = Mapping[str, Sequence[Claim]]

MAPPED = np.uint64(0xFFFF_0000_0000)


def compile_table(
    *, addresses: AddressTable | None, claims: Sequence[Claim], teams: Sequence[TeamCard], number: int, into: Path
) -> None:
    """Write the table that ``AttributionTable`` and ``Whois`` open.

    Args:
        addresses: prefix, AS and country of every address; None before the first ``tansiq geo update``.
        claims: of all teams and times, in canonical text; unverified ones are left out here.
        teams: what to say of the teams besides their codes.
        number: of the claim table; stored with every event that is attributed by it.
        into: the folder to write; it appears whole or not at all. An older one of that name is replaced.
    """
    known = addresses or _nothing_known()
    wanted = _verified(claims)
    register = Register()
    blocks = Blocks.of(wanted["cidr"], register)
    countries = known.countries + sorted(set(wanted["country"]).difference(known.countries))
    systems, names = _systems(known, wanted["asn"], register)
    ranges, prefixes = _ranges(known, blocks, systems)
    domains = sorted(wanted["domain"])
    columns = {
        **ranges,
        **systems,
        **blocks.columns(),
        "country_timeline": register.timelines_of("country", countries, wanted["country"]),
        "domain_timeline": _domain_timelines(domains, wanted["domain"], register),
        **register.columns(),
    }
    texts: Texts = {"range_prefix": prefixes, "as_name": names, "domain": domains, "verdict_reason": register.reasons()}
    about = {
        "claims_version": number,
        "addresses_as_of": addresses.as_of.isoformat() if addresses else None,
        "countries": countries,
        "teams": register.teams,
        "cards": [asdict(card) for card in teams],
    }
    folder.write(into, about=about, parts={**_array_parts(columns), **_text_parts(texts)})


def _verified(claims: Iterable[Claim]) -> dict[Kind, ByValue]:
    found: dict[Kind, dict[str, list[Claim]]] = {kind: defaultdict(list) for kind in KINDS}
    for claim in claims:
        if claim.verified:
            found[claim.kind][claim.value].append(claim)
    return {kind: dict(by_value) for kind, by_value in found.items()}


def _nothing_known() -> AddressTable:
    none = np.empty(0, np.uint32)
    names, countries = AsNames(none, pl.Series(dtype=pl.String)), AsCountries(none, np.empty(0, np.uint16))
    return AddressTable(empty_space(4), empty_space(6), [""], names, countries, as_of=date.min)


def _systems(addresses: AddressTable, claimed: ByValue, register: Register) -> tuple[Columns, pl.Series]:
    """Every AS that is announced, named, registered or claimed: its country, what holds for it, and its name."""
    claims, named = np.array([int(value) for value in claimed], np.uint32), addresses.as_names
    announced = (addresses.v4.asn, addresses.v6.asn)
    number = np.unique(
        np.concatenate([[0], *announced, named.asn, addresses.asn_countries.asn, claims]).astype(np.uint32)
    )
    holds = np.zeros(len(number), np.uint32)
    holds[np.searchsorted(number, claims)] = register.timelines_of("asn", list(claimed), claimed)
    name_row = np.zeros(len(number), np.int64)
    name_row[np.searchsorted(number, named.asn)] = np.arange(1, len(named.asn) + 1)
    name_row[0] = 0  # some lists name AS 0, which nobody has (RFC 7607); here it is "none"
    names = pl.concat([pl.Series([""]), named.name.rename("").str.replace_all(r"[\r\n]+", " ")]).gather(name_row)
    return {"as_number": number, "as_country": addresses.asn_countries.of(number), "as_timeline": holds}, names


def _ranges(addresses: AddressTable, blocks: Blocks, systems: Columns) -> tuple[Columns, pl.Series]:
    """The address space cut wherever AS, prefix, country or claimed network change, and one row for nowhere."""
    halves = [_family(space, blocks) for space in (addresses.v4, addresses.v6)]
    nowhere = np.zeros(1, np.uint32)
    asn, country, length, block = (
        np.concatenate([*(columns[name] for _ranges, columns, _prefix in halves), nowhere])
        for name in ("asn", "country", "length", "block")
    )
    length[-1] = NO_PREFIX
    system = np.searchsorted(systems["as_number"], asn)
    (v4, _, prefix4), (v6, _, prefix6) = halves
    return {
        "v4_start": v4.start,
        "v6_start": v6.start,
        "v6_start_low": v6.start_low,
        "range_as": system,
        "range_country": np.where(country == 0, systems["as_country"][system], country),
        "range_length": length,
        "range_block": block,
    }, pl.concat([prefix4, prefix6, pl.Series([""])])


def _family(space: Space, blocks: Blocks) -> tuple[Ranges, Columns, pl.Series]:
    claimed, block = blocks.ranges(space.ranges.version)
    ranges, above, below = overlay(claimed, space.ranges)
    columns: Columns = {"asn": space.asn, "country": space.country, "length": space.prefix_length}
    columns = {name: column[below] for name, column in columns.items()} | {"block": block[above]}
    return ranges, columns, _prefixes(space.ranges, space.prefix_length).gather(below)


def _prefixes(ranges: Ranges, length: NDArray[np.uint8]) -> pl.Series:
    """The announced prefix around each range as text, empty for none."""
    known = np.flatnonzero(length != NO_PREFIX)
    high, low = network(ranges.version, ranges.start[known], ranges.start_low[known], length[known])
    if ranges.version == 4:
        high, low = np.zeros_like(high), high | MAPPED
    text = pl.select(pl.concat_str(format_addresses(high, low), pl.lit("/"), pl.Series(length[known]).cast(pl.String)))
    place = np.zeros(len(length), np.int64)
    place[known] = np.arange(1, len(known) + 1)
    return pl.concat([pl.Series([""]), text.to_series().cast(pl.String)]).gather(place)


def _domain_timelines(names: Sequence[str], claims: ByValue, register: Register) -> Numbers:
    timelines: dict[str, Timeline] = {}
    for name in sorted(names, key=lambda name: name.count(".")):
        timelines[name] = timeline("domain", name, claims[name], _around(name, timelines))
    return np.array([register.number_of(timelines[name]) for name in names], np.uint32)


def _around(name: str, timelines: Mapping[str, Timeline]) -> Timeline:
    """What holds for the nearest claimed domain above a name."""
    while name:
        name = name.partition(".")[2]
        if name in timelines:
            return timelines[name]
    return NOBODY


def _array_parts(columns: Columns) -> dict[str, bytes]:
    return {name: columns[name].astype(code).tobytes() for name, code in folder.ARRAYS.items()}


def _text_parts(texts: Texts) -> dict[str, bytes]:
    parts = {}
    for name, rows in texts.items():
        text = pl.Series(rows, dtype=pl.String)
        ends = text.str.len_bytes().to_numpy().astype(np.uint64).cumsum() + np.arange(len(text), dtype=np.uint64)
        parts[name] = "".join(text.str.join("\n").to_list()).encode() + (b"\n" if len(text) else b"")
        parts[f"{name}_ends"] = ends.tobytes()
    return parts
