"""The one transaction by which batches become part of the lake."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tansiq.lake.catalogue import Catalogue, Cursor, DiskFull, Frame, quoted, statement
from tansiq.lake.files import Staged, discard, is_full, move_in
from tansiq.lake.known import Known, days_of_span, span_of, within
from tansiq.lake.values import Counted, Overtaken, Progress

SLICES = ("batch_id", "report_id", "feed", "first_line", "end_line", "blank", "events", "new", "rejected", "complete")


def commit(catalogue: Catalogue, known: Known, batches: Sequence[Staged]) -> list[Counted]:
    """Store the batches durably, all or none; see ``Lake.commit``."""
    lake = catalogue.home.lake
    try:
        move_in([file for staged in batches for file in staged.files], lake)
    except OSError as error:
        if is_full(error):
            raise DiskFull(path=lake) from error
        raise
    try:
        counted = catalogue.write(
            lambda cursor: store(cursor, known, batches, str(lake)), then=lambda: remember(known, batches, str(lake))
        )
    except Overtaken:
        for staged in batches:
            discard(staged, lake)
        raise
    for staged in batches:
        shutil.rmtree(staged.folder, ignore_errors=True)
    return counted


def store(cursor: Cursor, known: Known, batches: Sequence[Staged], lake: str) -> list[Counted]:
    """Within a transaction: look up under its snapshot, then add. Runs again from here after a conflict."""
    if earlier := stored_before(cursor, batches):
        return earlier  # the answer of the earlier commit got lost, the batches did not
    require_next(cursor, batches)
    repeated = [
        staged.ids.filter(pl.Series(known.among(cursor, staged.ids) | among(staged.ids, batches[:place])))
        for place, staged in enumerate(batches)
    ]
    add_days(cursor, batches, repeated)
    counted = add_slices(cursor, batches, repeated)
    for file in (file for staged in batches for file in staged.files):
        where = quoted(f"{lake}/{file.place}")
        cursor.execute(f"CALL ducklake_add_data_files('lake', '{file.table}', {where}, hive_partitioning => false)")
    return counted


def among(ids: pl.DataFrame, earlier: Sequence[Staged]) -> npt.NDArray[np.bool_]:
    """For each row of ``ids``: does a batch that is committed along with it, but before it, hold the event?"""
    found = np.zeros(len(ids), np.bool_)
    for staged in earlier:
        run = staged.ids.select("hi", "lo").sort("hi")
        found |= within(ids["hi"].to_numpy(), ids["lo"].to_numpy(), (run["hi"].to_numpy(), run["lo"].to_numpy()))
    return found


def remember(known: Known, batches: Sequence[Staged], lake: str) -> None:
    """Spare the next look-up the reading of these files."""
    for staged in batches:
        days = staged.ids["day"]
        for file in staged.files:
            if file.table == "events":
                first, last = days_of_span(span_of(file.place))
                some = staged.ids.filter(days.is_between(first, last)).sort("hi")
                known.remember(f"{lake}/{file.place}", some["hi"].to_numpy(), some["lo"].to_numpy())


def stored_before(cursor: Cursor, batches: Sequence[Staged]) -> list[Counted]:
    ids = [staged.batch_id for staged in batches]
    query = "SELECT report_id, new, events FROM lake.slices WHERE list_contains(?, batch_id) ORDER BY first_line"
    rows = cursor.execute(query, [ids])
    return [Counted(report_id, new, events - new) for report_id, new, events in rows.fetchall()]


def require_next(cursor: Cursor, batches: Sequence[Staged]) -> None:
    """Each slice must begin where its report stands in the lake, or in the batch before. Raises: Overtaken."""
    slices = [one for staged in batches for one in staged.slices]
    stand = {
        report_id: (now.end_line, now.complete)
        for report_id, now in progress(cursor, list({one.report_id for one in slices})).items()
    }
    for one in slices:
        end_line, complete = stand.get(one.report_id, (1, False))
        if one.first_line != end_line or complete:
            raise Overtaken(report_id=one.report_id, end_line=end_line, first_line=one.first_line)
        stand[one.report_id] = (one.end_line, one.complete)


def progress(cursor: Cursor, report_ids: list[str]) -> dict[str, Progress]:
    """How far the lake has got with each of the reports; those it has nothing of are absent."""
    cursor.register("asked", Frame(pl.DataFrame({"report_id": report_ids}, schema={"report_id": pl.String})))
    rows = cursor.execute(statement("progress")).fetchall()
    return {row[0]: Progress(*row[1:]) for row in rows}


def add_days(cursor: Cursor, batches: Sequence[Staged], repeated: Sequence[pl.DataFrame]) -> None:
    days = [
        staged.days.join(known.group_by("day").len("known"), on="day", how="left").with_columns(
            pl.lit(staged.batch_id).alias("batch_id"), pl.col("known").fill_null(0)
        )
        for staged, known in zip(batches, repeated, strict=True)
    ]
    cursor.register("days", Frame(pl.concat(days)))
    cursor.execute("INSERT INTO lake.batch_days BY NAME SELECT * FROM days")


def add_slices(cursor: Cursor, batches: Sequence[Staged], repeated: Sequence[pl.DataFrame]) -> list[Counted]:
    """Note what was stored of which report."""
    counted, rows = [], []
    for staged, known in zip(batches, repeated, strict=True):
        for one, count in zip(staged.slices, counts(staged, known), strict=True):
            counted.append(count)
            values = (staged.batch_id, one.report_id, one.feed, one.first_line, one.end_line, one.blank, one.events)
            rows.append((*values, count.new, one.rejected, one.complete))
    cursor.register("parts", Frame(pl.DataFrame(rows, schema=list(SLICES), orient="row", infer_schema_length=None)))
    cursor.execute("INSERT INTO lake.slices BY NAME SELECT * FROM parts")
    return counted


def counts(staged: Staged, repeated: pl.DataFrame) -> list[Counted]:
    """An event is new to the report of its canonical sighting; every other sighting is a repeat."""
    held = dict(staged.ids["report_id"].value_counts().iter_rows())
    held_before = dict(repeated["report_id"].value_counts().iter_rows())
    new = [held.get(one.report_id, 0) - held_before.get(one.report_id, 0) for one in staged.slices]
    return [Counted(one.report_id, count, one.events - count) for one, count in zip(staged.slices, new, strict=True)]


def preview(catalogue: Catalogue, staged: Staged) -> list[Counted]:
    """What a commit would count against the lake as it is now; nothing is stored."""
    cursor = catalogue.cursor()
    try:
        return counts(staged, staged.ids.filter(pl.Series(Known().among(cursor, staged.ids))))
    finally:
        cursor.close()
