"""Hosts for the sample: addresses drawn from what is really allocated to the states, so that attribution has work.

They are drawn at random and accuse nobody: every file of the sample says that it is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tansiq.addresses.table import AddressTable, Space
from tansiq.addresses.text import format_addresses

FLOOR = 0.2  # this part of the hosts is shared equally, so that the smallest state has some
MAPPED = np.uint64(0xFFFF_0000_0000)


@dataclass(frozen=True, slots=True)
class Pool:
    """Hosts of one address family, a row each: ``ip`` (text), ``asn`` (null for none), ``geo`` (ISO code)."""

    hosts: pl.DataFrame

    def draw(self, rng: np.random.Generator, rows: int) -> pl.DataFrame:
        """``rows`` hosts with repeats: a few are seen very often, most once or twice, as in real reports."""
        place = (rng.random(rows) ** 2.5 * self.hosts.height).astype(np.int64)
        return self.hosts[place]


def pool(table: AddressTable, space: Space, states: Sequence[str], size: int, rng: np.random.Generator) -> Pool:
    """``size`` hosts inside the ranges that ``table`` gives to ``states``; an empty pool where it gives none."""
    ours = np.isin(np.array(table.countries), list(states))
    ranges = np.flatnonzero(ours[space.country])
    if not len(ranges):
        return Pool(pl.DataFrame(schema={"ip": pl.String, "asn": pl.UInt32, "geo": pl.String}))
    width = _width(space, ranges)
    chosen = rng.choice(len(ranges), size, p=_weights(space.country[ranges], width))
    rows, offset = ranges[chosen], (rng.random(size) * width[chosen]).astype(np.uint64)
    return Pool(
        pl.DataFrame(
            {
                "ip": _addresses(space, rows, offset, rng),
                "asn": pl.Series(space.asn[rows]).replace(0, None),
                "geo": np.array(table.countries)[space.country[rows]],
            }
        )
    )


def _width(space: Space, ranges: NDArray[np.int64]) -> NDArray[np.float64]:
    """Addresses (IPv4) or /64 networks (IPv6) in each range, at least one; the last range of all counts as one."""
    start = space.ranges.start.astype(np.float64)
    width = np.append(np.diff(start), 1.0)[ranges]
    return np.maximum(width, 1.0)


def _weights(country: NDArray[np.uint16], width: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of each range: by the root of its width within a state, by the root of the state's total between."""
    root = np.sqrt(width)
    _, state = np.unique(country, return_inverse=True)
    share = np.sqrt(np.bincount(state, weights=width))
    share = (1 - FLOOR) * share / share.sum() + FLOOR / len(share)
    weights = share[state] * root / np.bincount(state, weights=root)[state]
    return weights / weights.sum()


def _addresses(
    space: Space, rows: NDArray[np.int64], offset: NDArray[np.uint64], rng: np.random.Generator
) -> pl.Series:
    start = space.ranges.start[rows] + offset
    if space.ranges.version == 4:
        return format_addresses(pl.Series(np.zeros(len(rows), np.uint64)), pl.Series(MAPPED | start))
    # Most hosts that are found by scanning IPv6 have a low number within their network.
    low = np.maximum(space.ranges.start_low[rows], rng.integers(1, 1 << 12, len(rows)).astype(np.uint64))
    return format_addresses(pl.Series(start), pl.Series(low))
