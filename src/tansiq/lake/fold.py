"""Many sightings, one event: within a batch, in columns.

A *sighting* is a row with ``event_id``, ``observed_at``, ``received_at``, ``report_id`` and ``line_number``; the rows
of one ``event_id`` become one row. Counts, minima and maxima do not care for the order in which sightings come, and the
row that stays is the *canonical sighting*, the least by (observed_at, report_id, line_number): any order and any
partition of the same sightings gives the same events.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tansiq.core.columns import SCHEMA_VERSION, STORED

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

FOLDED = ("count", "first_seen", "last_seen", "schema_version")
SIGHTING: dict[str, pl.DataType] = {name: kind for name, kind in STORED.items() if name not in FOLDED}
"""The columns of a sighting, as ``Lake.stage`` takes them."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The canonical rows and what is folded into them; all arrays have one entry an event.

    Attributes:
        rows: row numbers in the unfolded frame, in no particular order.
        count: sightings.
        last_seen: latest ``observed_at``, microseconds (the earliest is the canonical row's own).
        received: earliest ``received_at``, microseconds: when the event was first heard of.
    """

    rows: I64
    count: I64
    last_seen: I64
    received: I64


def halves(ids: pl.Series) -> tuple[U64, U64]:
    """The upper and lower 64 bits of n 16-byte ids."""
    parts = ids.to_frame("id").select(
        pl.col("id").bin.slice(offset, 8).bin.reinterpret(dtype=pl.UInt64, endianness="big").alias(name)
        for offset, name in ((0, "hi"), (8, "lo"))
    )
    return parts["hi"].to_numpy(), parts["lo"].to_numpy()


def fold(sightings: pl.DataFrame) -> pl.DataFrame:
    """n sightings (columns of SIGHTING) as m <= n events (columns of STORED), in no particular order."""
    return gathered(sightings, kept(sightings), None)


def kept(sightings: pl.DataFrame) -> Kept:
    """Which rows stay. Only rows whose id occurs more than once are looked at twice."""
    observed = sightings["observed_at"].to_physical().to_numpy()
    received = sightings["received_at"].to_physical().to_numpy()
    hi, lo = halves(sightings["event_id"])
    order = np.argsort(hi)
    repeated = doubtful(hi[order])
    alone = order[~repeated]
    if not repeated.any():
        return Kept(alone, np.ones(len(alone), np.int64), observed[alone], received[alone])
    rows, starts = canonical_first(sightings, order[repeated], hi, lo)
    return Kept(
        rows=np.concatenate([alone, rows[starts]]),
        count=np.concatenate([np.ones(len(alone), np.int64), np.diff(np.append(starts, len(rows)))]),
        last_seen=np.concatenate([observed[alone], np.maximum.reduceat(observed[rows], starts)]),
        received=np.concatenate([received[alone], np.minimum.reduceat(received[rows], starts)]),
    )


def doubtful(keys: U64) -> npt.NDArray[np.bool_]:
    """Of n sorted keys, those that a neighbour equals."""
    same = keys[1:] == keys[:-1]
    marked = np.zeros(len(keys), np.bool_)
    marked[1:] |= same
    marked[:-1] |= same
    return marked


def canonical_first(sightings: pl.DataFrame, rows: I64, hi: U64, lo: U64) -> tuple[I64, I64]:
    """The rows grouped by id, each group's canonical sighting first, and where each group starts."""
    some = sightings.select("observed_at", "report_id", "line_number")[rows]
    some = some.with_columns(row=pl.Series(rows), hi=pl.Series(hi[rows]), lo=pl.Series(lo[rows]))
    some = some.sort("hi", "lo", "observed_at", "report_id", "line_number")
    high, low = some["hi"].to_numpy(), some["lo"].to_numpy()
    fresh = np.ones(len(some), np.bool_)
    fresh[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    return some["row"].to_numpy(), np.flatnonzero(fresh)


def gathered(sightings: pl.DataFrame, which: Kept, order: I64 | None) -> pl.DataFrame:
    """The kept rows, in ``order`` (positions within ``which``) if given, with the columns of STORED."""
    if order is not None:
        which = Kept(which.rows[order], which.count[order], which.last_seen[order], which.received[order])
    time = STORED["observed_at"]
    return (
        sightings[which.rows]
        .with_columns(
            pl.Series("received_at", which.received).cast(time),
            pl.Series("count", which.count).cast(pl.UInt32),
            pl.col("observed_at").alias("first_seen"),
            pl.Series("last_seen", which.last_seen).cast(time),
            pl.lit(SCHEMA_VERSION, pl.UInt8).alias("schema_version"),
        )
        .select(list(STORED))
    )
