"""The first table of a fresh machine: what the package ``geoip2fast`` carries, IPv4 and IPv6.

Its data come from GeoLite2 (MaxMind) of the day that the package states. It knows countries and announced networks,
but AS names only, no AS numbers; ``geo update`` brings them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tansiq.addresses.sources.content import (
    PREFIXES,
    BadSource,
    Source,
    aligned,
    countries_of,
    date_in,
)
from tansiq.addresses.text import MAPPED, format_addresses
from tansiq.core.errors import N_

FORMAT = "geoip2fast"
FILE = "geoip2fast-asn-ipv6.dat.gz"
SAMPLE = 2000
NOBODY = ("<unknown>", "IANA.ORG")  # who holds what nobody announces


class ChangedBundle(BadSource):
    code = "addresses.bundled.changed"
    message = N_("The installed geoip2fast {version} keeps its tables differently: {reason}.")
    remedy = N_("Run `tansiq geo update`, with or without --from FOLDER, instead of --bundled.")


def read_bundled() -> Source:
    """Take the package's tables over in columns, and hold a sample of them against its public look-up.

    The look-up alone cannot be walked: between two networks it does not say where the next one begins.

    Raises: ChangedBundle: another version of the package keeps them differently.
    """
    from pathlib import Path

    from geoip2fast import GeoIP2Fast
    from geoip2fast import geoip2fast as package

    try:
        known = GeoIP2Fast(geoip2fast_data_file=str(Path(package.__file__).with_name(FILE)))
        codes = pl.Series([str(name).split(":")[0] for name in package.mainListNamesCountry])
        places = _networks(package.mainListFirstIP, package.mainListNetlength)
        row = np.concatenate([np.asarray(part, np.int64) for part in package.mainListIDCountryCodes])
        places = places.with_columns(country=countries_of(codes).gather(row), asn=pl.lit(None, pl.UInt32))
        routes = _networks(package.mainListFirstIPASN, package.mainListNetlengthASN)
        row = np.concatenate([np.asarray(part, np.int64) for part in package.mainListIDASN])
        holder = pl.Series([str(name) for name in package.mainListNamesASN]).gather(row)
        routes = routes.with_columns(country=pl.lit(None, pl.String), asn=pl.lit(0, pl.UInt32))
        routes = routes.filter(~holder.is_in(NOBODY))
        places = places.filter(pl.col("country").is_not_null())
        _agree(known, places, package.__version__)
        stated = str(known.source_info)
    except (AttributeError, TypeError, ValueError, IndexError, package.GeoIPError) as error:
        raise ChangedBundle(version=getattr(package, "__version__", "?"), reason=error) from error
    rows = pl.concat([frame.select(*PREFIXES) for frame in (places, routes)])
    return Source(format=FORMAT, prefixes=rows, dated=date_in(stated), file=stated, rows=len(rows))


def _networks(first: Any, length: Any) -> pl.DataFrame:
    """The package's lists of first addresses (whole numbers; IPv4 below 2^32) and lengths, as columns of prefixes."""
    numbers = [number for part in first for number in part]
    raw = np.frombuffer(b"".join(number.to_bytes(16) for number in numbers), ">u8").astype(np.uint64).reshape(-1, 2)
    sizes = np.concatenate([np.asarray(part, np.uint8) for part in length])
    high, low = raw[:, 0], raw[:, 1]
    four = (high == 0) & (low < 1 << 32)
    low = np.where(four, low | MAPPED, low)
    return aligned(np.where(four, np.uint8(4), np.uint8(6)), high, low, sizes)


def _agree(known: Any, places: pl.DataFrame, version: str) -> None:
    some = places.gather_every(max(len(places) // SAMPLE, 1))
    four = some["version"] == 4
    high = np.where(four, np.uint64(0), some["start"].to_numpy())
    low = np.where(four, some["start"].to_numpy() | MAPPED, some["start_low"].to_numpy())
    for address, country in zip(format_addresses(high, low), some["country"], strict=True):
        if known.lookup(address).country_code not in (country, "UK" if country == "GB" else country):
            raise ChangedBundle(version=version, reason=f"{address} {country}")
