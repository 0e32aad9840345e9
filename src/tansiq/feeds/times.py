"""Times as feeds write them, to UTC. In columns: each format is tried once, on what the ones before it left."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from tansiq.core.columns import TIME

LOCAL = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%B %d %Y %H:%M:%S%.f",
    "%b %e %H:%M:%S %Y",
)
"""Without an offset: read in the feed's own zone."""

DATES = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d")

OFFSET = (
    "%Y-%m-%dT%H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f%z",
    "%Y-%m-%d %H:%M:%S%.f %z",
    "%d/%b/%Y:%H:%M:%S %z",
    "%d %b %Y %H:%M:%S %z",
    "%b %e %H:%M:%S %Y %z",
    "%Y-%m-%dT%H:%M%z",
)
"""With an offset; ``Z``, ``UTC`` and ``GMT`` at the end are rewritten to one first."""

FILETIME_EPOCH_SECONDS = 11_644_473_600
"""Seconds from 1601-01-01 to 1970-01-01. Source: [MS-DTYP] section 2.3.3 (FILETIME, units of 100 ns)."""


def parse_times(texts: pl.Series, *, zone: str = "UTC") -> pl.Series:
    """Times in UTC, microseconds; null where the text is null or is no time.

    Args:
        texts: ISO 8601 / RFC 3339, RFC 2822, Common Log Format, C ``asctime``, plain dates (midnight), Unix time in
            s, ms or µs, Windows FILETIME. A time that the zone skips (daylight saving) is null; of one that it has
            twice it is the first.
        zone: IANA name, for times without an offset.
    """
    found = pl.Series("observed_at", [], TIME).extend_constant(None, len(texts))
    texts = texts.str.strip_chars()
    readers = (
        [local(form, zone) for form in LOCAL] + [offset(form) for form in OFFSET] + [day(form, zone) for form in DATES]
    )
    for read in (*readers[:2], numbers, *readers[2:]):
        missing = found.is_null() & texts.is_not_null()
        if not missing.any():
            break
        if missing.all():
            found = read(texts)
            continue
        rows = missing.arg_true()
        found = found.scatter(rows, read(texts.gather(rows)))
    return found.alias("observed_at")


Reader = Callable[[pl.Series], pl.Series]


def local(form: str, zone: str) -> Reader:
    def read(texts: pl.Series) -> pl.Series:
        return to_utc(undated(texts, form).str.to_datetime(form, strict=False, time_unit="us"), zone)

    return read


def day(form: str, zone: str) -> Reader:
    def read(texts: pl.Series) -> pl.Series:
        return to_utc(texts.str.to_date(form, strict=False).cast(pl.Datetime("us")), zone)

    return read


def undated(texts: pl.Series, form: str) -> pl.Series:
    """Without the day of the week before a named month: it says nothing, and wrongly in anonymised reports."""
    return texts.str.replace(r"^[A-Za-z]{3,9}(?:,\s*|\s+)", "") if form.startswith(("%b", "%B", "%d %b")) else texts


def to_utc(times: pl.Series, zone: str) -> pl.Series:
    if zone == "UTC":
        return times.dt.replace_time_zone("UTC")
    return times.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def offset(form: str) -> Reader:
    def read(texts: pl.Series) -> pl.Series:
        universal = undated(texts, form).str.replace(r"\s?(?:Z|z|UTC|GMT)$", "+0000")
        if " %z" in form:
            universal = universal.str.replace(r"(\S)([+-]\d\d:?\d\d)$", "${1} ${2}")
        return universal.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")

    return read


def numbers(texts: pl.Series) -> pl.Series:
    """Unix time by how many digits it has (10: s, fraction or not; 13: ms; 16: µs), or FILETIME (17 or 18)."""
    digits = texts.str.extract(r"^(\d+)(?:\.\d+)?$")
    length = digits.str.len_bytes()
    whole = digits.cast(pl.Int64, strict=False)
    exact = texts.cast(pl.Float64, strict=False)
    frame = pl.DataFrame({"length": length, "whole": whole, "exact": exact})
    size, value = pl.col("length"), pl.col("whole")
    micros = (
        pl.when(size.is_between(9, 10))
        .then((pl.col("exact") * 1_000_000).round().cast(pl.Int64, strict=False))
        .when(size == 13)
        .then(value * 1000)
        .when(size == 16)
        .then(value)
        .when(size.is_between(17, 18))
        .then(value // 10 - FILETIME_EPOCH_SECONDS * 1_000_000)
    )
    return frame.select(micros.cast(TIME)).to_series()
