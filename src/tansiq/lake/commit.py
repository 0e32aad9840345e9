"""The one transaction by which a batch becomes part of the lake."""

from __future__ import annotations

import shutil

import polars as pl

from tansiq.lake.catalogue import Catalogue, Cursor, DiskFull, Frame, quoted, statement
from tansiq.lake.files import Staged, discard, is_full, move_in
from tansiq.lake.known import Known, days_of_span, span_of
from tansiq.lake.values import Counted, Overtaken, Progress

SLICES = ("batch_id", "report_id", "feed", "first_line", "end_line", "blank", "events", "new", "rejected", "complete")


def commit(catalogue: Catalogue, known: Known, staged: Staged) -> list[Counted]:
    """Store the batch durably, wholly or not at all; see ``Lake.commit``."""
    lake = str(catalogue.home.lake)
    try:
        move_in(staged.files, catalogue.home.lake)
    except OSError as error:
        if is_full(error):
            raise DiskFull(path=catalogue.home.lake) from error
        raise
    try:
        counted = catalogue.write(
            lambda cursor: store(cursor, known, staged, lake), then=lambda: remember(known, staged, lake)
        )
    except Overtaken:
        discard(staged, catalogue.home.lake)
        raise
    shutil.rmtree(staged.folder, ignore_errors=True)
    return counted


def store(cursor: Cursor, known: Known, staged: Staged, lake: str) -> list[Counted]:
    """Within a transaction: look up under its snapshot, then add. Runs again from here after a conflict."""
    if earlier := stored_before(cursor, staged):
        return earlier  # the answer of the earlier commit got lost, the batch did not
    require_next(cursor, staged)
    repeated = staged.ids.filter(pl.Series(known.among(cursor, staged.ids)))
    add_days(cursor, staged, repeated)
    counted = add_slices(cursor, staged, repeated)
    for file in staged.files:
        where = quoted(f"{lake}/{file.place}")
        cursor.execute(f"CALL ducklake_add_data_files('lake', '{file.table}', {where}, hive_partitioning => false)")
    return counted


def remember(known: Known, staged: Staged, lake: str) -> None:
    """Spare the next look-up the reading of these files."""
    days = staged.ids["day"]
    for file in staged.files:
        if file.table == "events":
            first, last = days_of_span(span_of(file.place))
            some = staged.ids.filter(days.is_between(first, last)).sort("hi")
            known.remember(f"{lake}/{file.place}", some["hi"].to_numpy(), some["lo"].to_numpy())


def stored_before(cursor: Cursor, staged: Staged) -> list[Counted]:
    rows = cursor.execute("SELECT report_id, new, events FROM lake.slices WHERE batch_id = ?", [staged.batch_id])
    return [Counted(report_id, new, events - new) for report_id, new, events in rows.fetchall()]


def require_next(cursor: Cursor, staged: Staged) -> None:
    """Each slice must begin where its report stands in the lake. Raises: Overtaken."""
    stand = progress(cursor, [one.report_id for one in staged.slices])
    for one in staged.slices:
        now = stand.get(one.report_id)
        end_line = now.end_line if now else 1
        if one.first_line != end_line or (now and now.complete):
            raise Overtaken(report_id=one.report_id, end_line=end_line, first_line=one.first_line)


def progress(cursor: Cursor, report_ids: list[str]) -> dict[str, Progress]:
    """How far the lake has got with each of the reports; those it has nothing of are absent."""
    cursor.register("asked", Frame(pl.DataFrame({"report_id": report_ids}, schema={"report_id": pl.String})))
    rows = cursor.execute(statement("progress")).fetchall()
    return {row[0]: Progress(*row[1:]) for row in rows}


def add_days(cursor: Cursor, staged: Staged, repeated: pl.DataFrame) -> None:
    counts = repeated.group_by("day").len("known")
    days = staged.days.join(counts, on="day", how="left").with_columns(
        pl.lit(staged.batch_id).alias("batch_id"), pl.col("known").fill_null(0)
    )
    cursor.register("days", Frame(days))
    cursor.execute("INSERT INTO lake.batch_days BY NAME SELECT * FROM days")


def add_slices(cursor: Cursor, staged: Staged, repeated: pl.DataFrame) -> list[Counted]:
    """Note what was stored of which report."""
    counted = counts(staged, repeated)
    rows = []
    for one, count in zip(staged.slices, counted, strict=True):
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
