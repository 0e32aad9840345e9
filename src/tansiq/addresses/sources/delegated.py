"""Statistics of the regional registries: which block and which AS number is registered for which country.

Source: RIR statistics exchange format, https://www.apnic.net/about-apnic/corporate-documents/documents/resource-guidelines/rir-statistics-exchange-format/
and its "extended" form. Seen in the field: 39 IPv4 counts of AFRINIC are no power of two; LACNIC leaves the country
of free blocks empty, where AFRINIC has ZZ, leaves out a field there, and calls its version 2.3.
"""

from __future__ import annotations

import re

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.addresses.sources.content import (
    PREFIXES,
    SYSTEMS,
    Content,
    IncompleteSource,
    Source,
    checked,
    countries_of,
    date_in,
    lines_of,
)
from tansiq.addresses.text import parse_addresses

FORMAT = "delegated"
VERSION_LINE = re.compile(rb"^(?:#[^\n]*\n)*\d(?:\.\d)?\|[a-z]+\|\d+\|\d+\|\d*\|\d*\|[^|\n]*\s*$", re.MULTILINE)
FIELDS = ("registry", "country", "type", "start", "value", "date", "status", "id")
MOST_SYSTEMS = 10_000_000  # registered numbers in one file: more is an error in its counts


def recognises(content: Content) -> bool:
    return VERSION_LINE.match(content.head) is not None


def read(content: Content) -> Source:
    """Raises: IncompleteSource: fewer rows than the summary lines state; GarbledSource."""
    lines = lines_of(content.data, comment="#")
    version, lines = lines[0].split("|"), lines.slice(1)
    row = lines.to_frame("line").with_columns(field=pl.col("line").str.split_exact("|", len(FIELDS) - 1))
    row = row.with_columns(pl.col("field").struct.rename_fields(list(FIELDS))).unnest("field")
    summary = row.filter(pl.col("date") == "summary")
    row = row.filter(pl.col("date") != "summary")
    _all_there(row, summary)
    held = row.filter(pl.col("status").is_in(["allocated", "assigned"]))
    held = held.with_columns(country=countries_of(held["country"]), count=pl.col("value").cast(pl.UInt64, strict=False))
    prefixes = pl.concat([_blocks4(held.filter(type="ipv4")), _blocks6(held.filter(type="ipv6"))])
    prefixes = prefixes.filter(pl.col("country").is_not_null()).with_columns(asn=pl.lit(None, pl.UInt32))
    return Source(
        format=FORMAT,
        prefixes=prefixes.select(*PREFIXES),
        systems=_systems(held.filter(type="asn")),
        dated=date_in(version[5]) or date_in(version[2]),
        registry=True,
        rows=len(row),
    )


def _all_there(row: pl.DataFrame, summary: pl.DataFrame) -> None:
    """A file that was cut off says so: each kind has a line with the number of its rows."""
    found = dict(row.group_by("type").len().rows())
    for kind, stated in summary.select("type", "value").rows():
        if str(stated).isdecimal() and found.get(kind, 0) < int(stated):
            raise IncompleteSource(kind=kind, stated=int(stated), found=found.get(kind, 0))
    checked(row["type"].is_in(["ipv4", "ipv6", "asn"]) & row["status"].is_not_null(), row["line"])


def _blocks4(row: pl.DataFrame) -> pl.DataFrame:
    """An IPv4 row counts addresses: a count that is no power of two becomes several prefixes."""
    address = parse_addresses(row["start"])
    valid = (address["ip_version"] == 4) & row["count"].is_between(1, 1 << 32)
    checked(valid.fill_null(False), row["line"])
    row, address = row.filter(valid), address.filter(valid)
    start = address["ip_lo"].to_numpy() & np.uint64(0xFFFF_FFFF)
    which, start, length = split_blocks(start, row["count"].to_numpy())
    return pl.DataFrame(
        {
            "version": np.uint8(4),
            "start": start,
            "start_low": np.uint64(0),
            "length": length,
            "country": row["country"][which],
        }
    )


def split_blocks(
    start: NDArray[np.uint64], count: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint8]]:
    """Cut blocks of any size into the fewest prefixes.

    Returns: the row that each prefix comes from, its first address, its length.
    """
    row = np.arange(len(start))
    rows, starts, lengths = [row[:0]], [start[:0]], [np.zeros(0, np.uint8)]
    start, count = start.astype(np.int64), count.astype(np.int64)
    while len(row):
        aligned = np.where(start == 0, 1 << 32, start & -start)
        bits = np.floor(np.log2(np.minimum(aligned, count))).astype(np.int64)
        rows.append(row)
        starts.append(start.astype(np.uint64))
        lengths.append((32 - bits).astype(np.uint8))
        start, count = start + (1 << bits), count - (1 << bits)
        left = (count > 0) & (start < 1 << 32)
        row, start, count = row[left], start[left], count[left]
    return np.concatenate(rows), np.concatenate(starts), np.concatenate(lengths)


def _blocks6(row: pl.DataFrame) -> pl.DataFrame:
    """An IPv6 row gives the length of its prefix."""
    address = parse_addresses(row["start"])
    valid = (address["ip_version"] == 6) & (row["count"] <= 128)
    checked(valid.fill_null(False), row["line"])
    row, address = row.filter(valid), address.filter(valid)
    return pl.DataFrame(
        {
            "version": np.full(len(row), 6, np.uint8),
            "start": address["ip_hi"],
            "start_low": address["ip_lo"],
            "length": row["count"].cast(pl.UInt8),
            "country": row["country"],
        }
    )


def _systems(row: pl.DataFrame) -> pl.DataFrame:
    """An AS row counts numbers from its first on."""
    first = row["start"].cast(pl.UInt32, strict=False)
    valid = (first.is_not_null() & (row["count"] >= 1)).fill_null(False)
    checked(valid, row["line"])
    row, first = row.filter(valid), first.filter(valid).cast(pl.UInt64)
    if row["count"].sum() > MOST_SYSTEMS:
        checked(row["count"] < MOST_SYSTEMS // max(len(row), 1), row["line"])
    frame = pl.DataFrame({"asn": first, "count": row["count"], "country": row["country"]})
    frame = frame.select(pl.int_ranges("asn", pl.col("asn") + pl.col("count"), dtype=pl.UInt64), "country").explode(
        "asn"
    )
    return (
        frame.filter(pl.col("country").is_not_null())
        .select(pl.col("asn").cast(pl.UInt32), pl.lit(None, pl.String).alias("name"), "country")
        .select(*SYSTEMS)
    )
