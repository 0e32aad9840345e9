"""Columns of addresses in which some are whole networks ("192.0.2.0/24")."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.addresses.text import format_addresses, parse_addresses

c = pl.col

NETWORK = r"^\s*([0-9A-Fa-f:.]+)\s*/\s*(\d{1,3})\s*$"


def split_networks(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Where ``column`` holds a network, put its first address there and the network into ``network``.

    A text that only looks like a network stays as it is: it will be refused as an address. Rows without a network cost
    one search for a slash.
    """
    if column not in rows.columns or not rows[column].str.contains("/", literal=True).any():
        return rows
    return rows.with_columns(canonical_networks(rows[column]).alias("network")).with_columns(
        pl.coalesce(c("network").str.extract(r"^([^/]+)/"), c(column)).alias(column)
    )


def canonical_networks(texts: pl.Series) -> pl.Series:
    """Networks in the usual notation, without host bits (RFC 4632 section 3.1); null for what is none.

    Args:
        texts: n texts such as "192.0.2.77/24" or "2001:db8::/32"; nulls stay null.

    Returns: n texts in the same order; no Python object per row.
    """
    found = texts.to_frame("text").select(
        address=c("text").str.extract(NETWORK), length=c("text").str.extract(NETWORK, 2)
    )
    addresses = parse_addresses(found["address"]).with_columns(found["length"].cast(pl.UInt16))
    first = pl.when(c("ip_version") == 4).then(96).otherwise(0).cast(pl.UInt16)
    bits = addresses.select((c("length") + first).alias("bits"))["bits"]
    valid = (bits <= 128).fill_null(False) & addresses["ip"].is_not_null()
    known = addresses.filter(valid)
    if not known.height:
        return pl.Series(texts.name, [None], pl.String).new_from_index(0, len(texts))
    upper, lower = masks(bits.filter(valid).to_numpy())
    starts = format_addresses(known["ip_hi"].to_numpy() & upper, known["ip_lo"].to_numpy() & lower)
    written = starts + "/" + known["length"].cast(pl.String)
    place = valid.cast(pl.UInt32).cum_sum() - 1
    return written.gather(place.set(~valid, None)).rename(texts.name)


def masks(bits: NDArray[np.uint16]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Upper and lower half of the 128-bit mask of each prefix length."""
    ones = [((1 << length) - 1) << (64 - length) for length in range(65)]
    table = np.array(ones, np.uint64)
    return table[np.minimum(bits, 64)], table[np.maximum(bits, 64) - 64]
