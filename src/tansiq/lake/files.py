"""Parquet files of a batch: written and synced in the staging folder, then moved into the lake's folder.

A day with many events gets a file of its own; days with few share one, so that a report that reaches back ten years
does not become thousands of files. A file is sorted by team and time, in row groups small enough for their statistics
to pick out one team.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from tansiq.core.columns import REJECTED, SCHEMA_VERSION
from tansiq.lake.catalogue import DiskFull, out_of_space
from tansiq.lake.fold import I64, gathered, halves, kept
from tansiq.lake.known import span_name
from tansiq.lake.values import Slice

ROWS_OF_A_DAY = 20_000  # fewer share a file with the days beside them
ROW_GROUP = 20_000  # about three in a file of a small batch: a team reads one
COMPRESSION_LEVEL = 1
ORPHAN_DAYS = 7
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A synced file: where it is, where it goes (relative to the lake's folder), which table takes it."""

    staged: Path
    place: str
    table: str


@dataclass(frozen=True, slots=True)
class Staged:
    """A batch on disk that nobody sees yet.

    Attributes:
        ids: event_id (16 bytes), its halves hi and lo, day, report_id of the canonical sighting; one row an event.
        days: day, events, claims_version, addresses_as_of, one_basis, received_first, received_last.
    """

    batch_id: str
    slices: tuple[Slice, ...]
    files: tuple[StagedFile, ...]
    ids: pl.DataFrame
    days: pl.DataFrame
    folder: Path


def stage(folder: Path, sightings: pl.DataFrame, rejects: pl.DataFrame, slices: Sequence[Slice]) -> Staged:
    """Fold, sort and write a batch below ``folder``, synced. Nothing of it is visible before the commit.

    Raises: DiskFull: nothing is left behind.
    """
    batch_id = uuid.uuid4().hex
    own = folder / batch_id
    with room(own):
        own.mkdir(parents=True)
        which = kept(sightings)
        order, cuts = arranged(sightings.select("observed_at", "team")[which.rows])
        frame = gathered(sightings, which, order)
        files = [
            write(frame[start:end], own, number, "events", batch_id)
            for number, (start, end) in enumerate(pairwise(cuts))
        ]
        if rejects.height:
            ordered = rejects.select(list(REJECTED)).sort("report_id", "line_number")
            files.append(write(ordered, own, len(files), "rejects", batch_id))
        sync(own)
        sync(folder)
    return Staged(batch_id, tuple(slices), tuple(files), ids_of(frame), days_of(frame), own)


def arranged(events: pl.DataFrame) -> tuple[I64, list[int]]:
    """The order in which m events (observed_at, team) are written, and where each file starts, then m.

    By file, team and time; a file is one day with ROWS_OF_A_DAY events or more, or neighbouring days with fewer.
    """
    days = events.select(pl.col("observed_at").dt.date().alias("day"), "observed_at", "team")
    sizes = days.group_by("day").len().sort("day")
    numbers = pl.Series("file", files_of_days(sizes["len"].to_list()), pl.UInt32)
    days = days.join(sizes.with_columns(numbers), on="day", how="left", maintain_order="left")
    order = days.select(pl.arg_sort_by("file", "team", "observed_at", nulls_last=True)).to_series()
    counts = days["file"].value_counts().sort("file")["count"].to_numpy()
    return order.to_numpy().astype(np.int64), [0, *np.cumsum(counts).tolist()]


def files_of_days(sizes: Sequence[int]) -> list[int]:
    """The number of the file of each of the days, which come in order with their sizes."""
    numbers: list[int] = []
    file, held = -1, ROWS_OF_A_DAY
    for size in sizes:
        if held >= ROWS_OF_A_DAY or size >= ROWS_OF_A_DAY:
            file, held = file + 1, 0
        held += size
        numbers.append(file)
    return numbers


def write(frame: pl.DataFrame, folder: Path, number: int, table: str, batch_id: str) -> StagedFile:
    """One synced Parquet file of the rows as they stand."""
    path = folder / f"{number}.parquet"
    times = frame["observed_at" if table == "events" else "received_at"].dt.date()
    with path.open("wb") as out:
        frame.write_parquet(
            out,
            compression="zstd",
            compression_level=COMPRESSION_LEVEL,
            row_group_size=ROW_GROUP,
            statistics=True,
            metadata={"tansiq.schema_version": str(SCHEMA_VERSION)},
        )
        out.flush()
        os.fsync(out.fileno())
    return StagedFile(
        path, place(table, span_name(cast(date, times.min()), cast(date, times.max())), batch_id, number), table
    )


def place(table: str, span: str, batch_id: str, number: int) -> str:
    """Below the folder that DuckLake gives the table, so that its catalogue holds relative paths."""
    return f"main/{table}/{span}/{batch_id}-{number}.parquet"


def ids_of(events: pl.DataFrame) -> pl.DataFrame:
    """What the commit looks up, sorted by day and id."""
    hi, lo = halves(events["event_id"])
    return events.select(
        "event_id", "report_id", pl.col("observed_at").dt.date().alias("day"), hi=pl.Series(hi), lo=pl.Series(lo)
    ).sort("day", "hi")


def days_of(events: pl.DataFrame) -> pl.DataFrame:
    """One row a day: what a reader must know before it reads (lake.batch_days)."""
    basis = pl.struct("claims_version", "addresses_as_of")
    return (
        events.lazy()
        .group_by(pl.col("observed_at").dt.date().alias("day"))
        .agg(
            pl.len().cast(pl.UInt64).alias("events"),
            pl.col("claims_version").min(),
            pl.col("addresses_as_of").min(),
            one_basis=basis.n_unique() == 1,
            received_first=pl.col("received_at").min(),
            received_last=pl.col("received_at").max(),
        )
        .sort("day")
        .collect()
    )


def move_in(files: Sequence[StagedFile], lake: Path) -> None:
    """Move the files into the lake's folder, durably. They stay invisible until the catalogue names them."""
    folders = set()
    for file in files:
        target = lake / file.place
        folders.add(target.parent)
        if not target.parent.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            folders |= {folder for folder in target.parents if folder.is_relative_to(lake)}
        if file.staged.exists():  # else an earlier attempt has moved it
            file.staged.replace(target)
    for folder in folders:
        sync(folder)


def discard(staged: Staged, lake: Path) -> None:
    """Remove a batch that was not committed, wherever its files are."""
    for file in staged.files:
        (lake / file.place).unlink(missing_ok=True)
    shutil.rmtree(staged.folder, ignore_errors=True)


def remove_orphans(folder: Path, *, now: float | None = None) -> int:
    """Remove what a process that died staged more than ORPHAN_DAYS days ago; how many batches that were."""
    limit = (time.time() if now is None else now) - ORPHAN_DAYS * 86_400
    removed = 0
    for entry in os.scandir(folder):
        if entry.is_dir() and len(entry.name) == 32 and entry.stat().st_mtime < limit:
            shutil.rmtree(entry.path, ignore_errors=True)
            removed += 1
    return removed


def sync(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def room(own: Path) -> Iterator[None]:
    """Turn a full disk into DiskFull, and leave nothing behind whatever happens."""
    try:
        yield
    except BaseException as error:
        shutil.rmtree(own, ignore_errors=True)
        if isinstance(error, Exception) and is_full(error):
            raise DiskFull(path=own.parent) from error
        raise


def is_full(error: Exception) -> bool:
    """Polars wraps the system's error in its own, with the system's words; Python keeps the number."""
    return getattr(error, "errno", None) in NO_ROOM or out_of_space(error)
