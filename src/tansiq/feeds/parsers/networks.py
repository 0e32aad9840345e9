"""Columns of addresses in which some are whole networks ("192.0.2.0/24")."""

from __future__ import annotations

from ipaddress import ip_network

import polars as pl

c = pl.col

NETWORK = r"^\s*[0-9A-Fa-f:.]+\s*/\s*\d{1,3}\s*$"


def split_networks(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Where ``column`` holds a network, put its first address there and the network into ``network``.

    A text that only looks like a network stays as it is: it will be refused as an address. Rows without a network cost
    one search for a slash.
    """
    if column not in rows.columns or not rows[column].str.contains("/", literal=True).any():
        return rows
    written = rows.filter(c(column).str.contains(NETWORK))[column].unique()
    networks = {text: network for text in written.to_list() if (network := canonical(text))}
    found = c(column).replace_strict(networks, default=None, return_dtype=pl.String)
    return rows.with_columns(network=found).with_columns(
        pl.coalesce(c("network").str.extract(r"^([^/]+)/"), c(column)).alias(column)
    )


def canonical(text: str) -> str | None:
    """The network without host bits, in the usual notation; None when it cannot be one."""
    try:
        return str(ip_network("".join(text.split()), strict=False))
    except ValueError:
        return None
