"""A digest's events as files: all columns, streamed, in a form that other programs read without asking.

The attachments are for machines: nothing is defanged, absent values are empty (CSV) or ``null`` (JSON), times are
RFC 3339 UTC, ``event_id`` is 32 hex digits, and ``extra`` is an object in JSON.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from tansiq.core.columns import STORED

if TYPE_CHECKING:
    import polars as pl

CHUNK_ROWS = 10_000
"""Rows that a thread turns into text at once. A row is about a kilobyte of JSON: the engine's own choice, ten times
as many, takes three times the memory and is no faster."""


def small_chunks() -> AbstractContextManager[object]:
    """Within it attachments are written CHUNK_ROWS at a time: set for the whole process, once for all threads."""
    import polars as pl

    return pl.Config(streaming_chunk_size=CHUNK_ROWS)


def write_csv(events: pl.LazyFrame, path: Path) -> None:
    """One header line, then one line an event (RFC 4180), UTF-8; memory does not grow with the rows."""
    _readable(events).sink_csv(path, engine="streaming")


def write_json(events: pl.LazyFrame, path: Path) -> None:
    """NDJSON: one object a line."""
    import polars as pl

    columns = [name for name in STORED if name != "extra"]
    body = pl.struct(columns).struct.json_encode()
    # ``extra`` is JSON already: spliced in, not encoded twice. It has no raw line end (RFC 8259, section 7).
    line = pl.concat_str(body.str.head(-1), pl.lit(',"extra":'), pl.col("extra").fill_null("null"), pl.lit("}"))
    _readable(events).select(line).sink_csv(path, include_header=False, quote_style="never", engine="streaming")


def _readable(events: pl.LazyFrame) -> pl.LazyFrame:
    import polars as pl

    times = [name for name, kind in STORED.items() if isinstance(kind, pl.Datetime)]
    second = "%Y-%m-%dT%H:%M:%S"
    parts = pl.col(times).dt.microsecond() > 0
    return events.select(list(STORED)).with_columns(
        pl.col("event_id").bin.encode("hex"),
        pl.when(parts)
        .then(pl.col(times).dt.strftime(f"{second}%.6fZ"))
        .otherwise(pl.col(times).dt.strftime(f"{second}Z")),
        pl.col("addresses_as_of").dt.strftime("%Y-%m-%d"),
    )
