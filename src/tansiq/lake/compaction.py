"""Many small files become few, folded and sorted, while readers and writers go on.

Folding is associative: any set of files may be folded into new ones without changing what a reader sees. What a
compaction replaces stays on disk for a while, for the readers that still look at it.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from tansiq.core.columns import SCHEMA_VERSION, STORED
from tansiq.lake.catalogue import Catalogue, Cursor, Frame, quoted, statement
from tansiq.lake.files import ORPHAN_DAYS, ROW_GROUP, StagedFile, files_of_days, move_in, place, room, sync
from tansiq.lake.known import Known, days_of_span, files_of_days_in, span_name, span_of
from tansiq.lake.reading import over_sightings, reading
from tansiq.lake.values import Compacted

MANY_FILES = 16  # of a day, each smaller than SMALL_BYTES: then tidying merges them
SMALL_BYTES = 32 << 20
DAYS_KEPT = 2
"""How long what was replaced stays for those that still read it: one day at least, since a catalogue in SQLite holds
DuckLake's times as text, in which everything of the limit's own UTC day is older than the limit."""
COMPRESSION_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Files written anew from others, not yet visible."""

    olds: tuple[str, ...]
    news: tuple[StagedFile, ...]
    days: pl.DataFrame  # day, rows, batch_ids whose rows of the day are all in
    rows_before: int
    rows_after: int
    folder: Path


def compact(catalogue: Catalogue, known: Known, day: date) -> Compacted | None:
    """Fold all files that hold events of the day; None when there was nothing to do or another was faster."""
    with reading(catalogue) as cursor:
        files = files_of_days_in(cursor, day, day)
    return rewrite(catalogue, known, day, files) if len(files) > 1 else None


def tidy(catalogue: Catalogue, known: Known) -> list[Compacted]:
    """Merge the small files of every day that has many of them."""
    with reading(catalogue) as cursor:
        rows = cursor.execute(statement("small_files").format(table="events", small=SMALL_BYTES)).fetchall()
    counts = Counter(span_of(row[0]) for row in rows)
    done = []
    for span, number in counts.items():
        if number > MANY_FILES:
            files = [row[0] for row in rows if span_of(row[0]) == span]
            done.append(rewrite(catalogue, known, days_of_span(span)[0], files))
    sweep(catalogue)
    return [one for one in done if one]


def rewrite(catalogue: Catalogue, known: Known, day: date, files: Sequence[str]) -> Compacted | None:
    """Replace the files by folded ones in one transaction."""
    batch_id = uuid.uuid4().hex
    folder = catalogue.home.staging / batch_id
    with room(folder):
        folder.mkdir()
        new = written(catalogue, files, folder, batch_id)
    lake = catalogue.home.lake
    move_in(new.news, lake)
    swapped = catalogue.write(
        lambda cursor: swap(cursor, new, str(lake), batch_id), then=lambda: remember(known, new, str(lake))
    )
    if not swapped:
        for file in new.news:
            (lake / file.place).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return Compacted(day, len(files), len(new.news), new.rows_before, new.rows_after) if swapped else None


def written(catalogue: Catalogue, files: Sequence[str], folder: Path, batch_id: str) -> Rewritten:
    """Fold and sort the rows of the files into new ones, by the rule by which batches are cut into files."""
    source = paths(files)
    news, after = [], 0
    with reading(catalogue) as cursor:
        days = pl.DataFrame(cursor.sql(statement("rows_of_days").format(files=source)))
        numbers = files_of_days(days["rows"].to_list())
        for number, (_, some) in enumerate(days.group_by(pl.Series(numbers), maintain_order=True)):
            first, last = some["day"][0], some["day"][-1]
            path = folder / f"{number}.parquet"
            after += copy_folded(cursor, source, first, last, path)
            with path.open("rb") as handle:
                os.fsync(handle.fileno())
            news.append(StagedFile(path, place("events", span_name(first, last), batch_id, number), "events"))
        complete = complete_days(cursor, files, days)
    sync(folder)
    return Rewritten(tuple(files), tuple(news), complete, int(days["rows"].sum()), after, folder)


def copy_folded(cursor: Cursor, source: str, first: date, last: date, path: Path) -> int:
    text = statement("compact").format(
        files=source,
        columns=", ".join(STORED),
        summaries=over_sightings(STORED),
        first=quoted(first.isoformat()),
        until=quoted((last + timedelta(days=1)).isoformat()),
        path=quoted(str(path)),
        level=COMPRESSION_LEVEL,
        row_group=ROW_GROUP,
        version=SCHEMA_VERSION,
    )
    row = cursor.execute(text).fetchone()
    return int(row[0]) if row else 0


def complete_days(cursor: Cursor, files: Sequence[str], days: pl.DataFrame) -> pl.DataFrame:
    """Of the days, those of which no other file holds anything: day and the batches that they came in."""
    live = files_of_days_in(cursor, days["day"][0], days["day"][-1])
    others = [days_of_span(span_of(file)) for file in set(live) - set(files)]
    whole = [day for day in days["day"] if not any(first <= day <= last for first, last in others)]
    cursor.register("whole", Frame(pl.DataFrame({"day": whole}, schema={"day": pl.Date})))
    return pl.DataFrame(cursor.sql("SELECT batch_id, day FROM lake.batch_days SEMI JOIN whole USING (day)"))


def swap(cursor: Cursor, new: Rewritten, lake: str, batch_id: str) -> bool:
    """Within a transaction: the new files for the old ones. False if somebody else has replaced one of these."""
    live = {row[0] for row in cursor.execute("SELECT data_file FROM ducklake_list_files('lake', 'events')").fetchall()}
    if not live.issuperset(new.olds):
        return False
    cursor.execute(statement("drop_files").format(table="events", files=paths(new.olds)))
    for file in new.news:
        where = quoted(f"{lake}/{file.place}")
        cursor.execute(f"CALL ducklake_add_data_files('lake', 'events', {where}, hive_partitioning => false)")
    cursor.register("gone", Frame(new.days))
    cursor.execute(statement("merge_days").format(batch_id=quoted(batch_id)))
    cursor.execute("DELETE FROM lake.batch_days WHERE (batch_id, day) IN (SELECT (batch_id, day) FROM gone)")
    return True


def remember(known: Known, new: Rewritten, lake: str) -> None:
    for file in new.news:
        known.replaced(new.olds, f"{lake}/{file.place}")


def sweep(catalogue: Catalogue, days: int = DAYS_KEPT) -> None:
    """Let go of what was replaced ``days`` ago (in SQLite a day less), and of old files that no catalogue names."""
    text = statement("sweep").format(days=days, orphan_days=ORPHAN_DAYS)
    catalogue.maintain(part for part in text.split(";") if part.strip())


def paths(files: Sequence[str]) -> str:
    return "[" + ", ".join(map(quoted, files)) + "]"


def days(catalogue: Catalogue) -> list[date]:
    with reading(catalogue) as cursor:
        return [row[0] for row in cursor.execute("SELECT DISTINCT day FROM lake.batch_days ORDER BY day").fetchall()]
