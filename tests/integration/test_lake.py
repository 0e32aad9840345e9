from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from factories import postgres
from factories.lake import (
    START,
    event_id,
    folded,
    home_at,
    no_rejects,
    part,
    rejected,
    rejects,
    report_id,
    shown,
    sighting,
    sightings,
)
from tansiq.core.columns import SCHEMA_VERSION
from tansiq.lake import (
    AmbiguousReport,
    Counted,
    Filter,
    Lake,
    LakeMissing,
    LakeNewer,
    LakeUnreadable,
    Overtaken,
    Progress,
    UnknownColumn,
    UnknownReport,
    compaction,
    packing,
)
from tansiq.lake.known import span_of


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with Lake.open(home_at(tmp_path)) as lake:
        yield lake


def put(lake: Lake, rows: list[dict], report: object, *, first: int = 1, complete: bool = True) -> Counted:
    staged = lake.stage(sightings(rows), no_rejects(), [part(report, first, len(rows), complete=complete)])
    (counted,) = lake.commit(staged)
    return counted


def test_commit_of_a_batch_shows_its_events(lake: Lake) -> None:
    rows = [sighting(subject, line=line) for line, subject in enumerate("abca", 1)]

    counted = put(lake, rows, "r")

    assert counted == Counted(report_id("r"), new=3, repeats=1)
    assert shown(lake.query()) == folded(rows)


def test_stage_without_commit_shows_nothing(lake: Lake) -> None:
    lake.stage(sightings([sighting()]), no_rejects(), [part("r", 1, 1)])

    assert lake.query().is_empty()
    assert lake.progress([report_id("r")]) == {}


def test_commit_of_a_repeat_counts_it_and_folds_it(lake: Lake) -> None:
    first = [sighting("a", "one"), sighting("b", "one", 2)]
    second = [sighting("a", "two", observed_at=START - timedelta(hours=1)), sighting("c", "two", 2)]

    put(lake, first, "one")
    counted = put(lake, second, "two")

    assert counted == Counted(report_id("two"), new=1, repeats=1)
    assert shown(lake.query()) == folded(first + second)


def test_commit_counts_alike_whether_ids_are_remembered_or_scanned(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    batches = [
        [sighting((n * 7) % 40, n, line) for line, n in enumerate(range(20 * i, 20 * i + 20), 1)] for i in range(4)
    ]
    batches = [[row | {"report_id": report_id(i)} for row in rows] for i, rows in enumerate(batches)]

    with Lake.open(home) as lake:
        put(lake, batches[0], 0)
    with Lake.open(home) as scanning:
        counts = [put(scanning, batches[1], 1), put(scanning, batches[2], 2), put(scanning, batches[3], 3)]

    assert [one.new for one in counts] == [20, 0, 0]
    assert [one.repeats for one in counts] == [0, 20, 20]


def test_commit_of_a_batch_twice_answers_the_same_and_stores_once(lake: Lake) -> None:
    rows = [sighting()]
    staged = lake.stage(sightings(rows), no_rejects(), [part("r", 1, 1)])
    first = lake.commit(staged)

    again = lake.commit(staged)

    assert again == first
    assert shown(lake.query()) == folded(rows)


def test_progress_of_a_report_in_parts_adds_them_up(lake: Lake) -> None:
    lake.commit(
        lake.stage(
            sightings([sighting("a"), sighting("b", line=2)]),
            rejects([rejected("r", 3, b"\xff")]),
            [part("r", 1, 2, bad=1, blank=1, complete=False)],
        )
    )
    put(lake, [sighting("a", line=5)], "r", first=5)

    assert lake.progress([report_id("r"), report_id("other")]) == {
        report_id("r"): Progress(end_line=6, blank=1, events=3, new=2, rejected=1, complete=True)
    }


@pytest.mark.parametrize(("first", "complete"), [(1, False), (3, False), (2, True)])
def test_commit_of_lines_that_are_not_the_next_is_overtaken(lake: Lake, first: int, complete: bool) -> None:
    put(lake, [sighting()], "r", complete=complete)
    staged = lake.stage(sightings([sighting("x", line=first)]), no_rejects(), [part("r", first, 1)])

    with pytest.raises(Overtaken):
        lake.commit(staged)

    assert lake.query().height == 1
    assert not any(staged.folder.parent.glob("*/*.parquet"))
    assert len(list(lake._catalogue.home.lake.rglob("*.parquet"))) == 1


def test_commit_of_an_empty_report_is_remembered(lake: Lake) -> None:
    lake.commit(lake.stage(sightings(), no_rejects(), [part("empty", 1, 0)]))

    assert lake.progress([report_id("empty")])[report_id("empty")].complete


def test_stage_of_rows_that_no_slice_speaks_of_refuses(lake: Lake) -> None:
    with pytest.raises(ValueError, match="the slices say"):
        lake.stage(sightings([sighting()]), no_rejects(), [part("other", 1, 1)])
    with pytest.raises(ValueError, match="16 bytes"):
        lake.stage(sightings([sighting() | {"event_id": b"short"}]), no_rejects(), [part("r", 1, 1)])


def test_query_by_each_condition_finds_the_event_that_meets_it(lake: Lake) -> None:
    wanted = sighting("wanted", line=1, team="XE-CERT", feed="other-feed", rsit_class="fraud", rsit_type="phishing",
                      country="XE", asn=64500, malware="example", ip="2001:db8::1", severity="high")  # fmt: skip
    put(lake, [wanted, sighting("b", line=2)], "r")

    for name in ("team", "feed", "rsit_class", "rsit_type", "country", "asn", "malware", "ip", "severity"):
        found = lake.query(Filter(**{name: wanted[name]}))
        assert shown(found).keys() == {wanted["event_id"]}, name
    assert lake.query(Filter(team="it's none")).is_empty()


def test_query_of_a_window_meets_first_and_last_seen_half_open(lake: Lake) -> None:
    rows = [sighting("a", line=1), sighting("a", line=2, observed_at=START + timedelta(hours=4))]
    put(lake, rows[:1], "r", complete=False)
    put(lake, rows[1:], "r", first=2)
    put(lake, [sighting("old", "s", observed_at=START - timedelta(days=3))], "s")

    def found(since: datetime | None, until: datetime | None) -> int:
        return lake.query(Filter(since=since, until=until)).height

    hour = timedelta(hours=1)
    assert found(START + hour, START + 2 * hour) == 1
    assert found(START + 4 * hour, None) == 1
    assert found(START + 5 * hour, None) == 0
    assert found(START - hour, START) == 0
    assert found(None, START) == 1
    assert found(START - timedelta(days=9), START + timedelta(days=9)) == 2


def test_query_where_tables_changed_judges_the_canonical_sighting(lake: Lake) -> None:
    early = sighting("a", "one", team="XA-CERT", claims_version=1)
    late = sighting("a", "two", team="XE-CERT", claims_version=2, observed_at=START + timedelta(hours=1))
    put(lake, [late], "two")
    put(lake, [early], "one")

    assert lake.query(Filter(team="XE-CERT")).is_empty()
    assert shown(lake.query(Filter(team="XA-CERT"))) == folded([early, late])
    assert lake.count(Filter(), ["team"]).rows() == [("XA-CERT", 1, 2)]


def test_query_received_in_consecutive_windows_has_each_event_once(lake: Lake) -> None:
    monday, tuesday = START + timedelta(days=1), START + timedelta(days=2)
    put(lake, [sighting("a", "one", received_at=monday)], "one")
    put(lake, [sighting("a", "two", received_at=tuesday, observed_at=START - timedelta(hours=1)),
               sighting("b", "two", 2, received_at=tuesday)], "two")  # fmt: skip

    first = lake.query(Filter(received_since=monday, received_until=tuesday))
    second = lake.query(Filter(received_since=tuesday, received_until=tuesday + timedelta(days=1)))

    assert shown(first).keys() == {event_id("a", START.date())}
    assert shown(second).keys() == {event_id("b", START.date())}


def test_query_with_limit_gives_the_newest_first(lake: Lake) -> None:
    for part_number in range(3):
        rows = [
            sighting(n, part_number, n + 1, observed_at=START + timedelta(days=n % 3, minutes=n + part_number))
            for n in range(10)
        ]
        put(lake, rows, part_number)

    newest = lake.query(limit=4)

    every = sorted(lake.query().rows(named=True), key=lambda row: (row["last_seen"], row["event_id"]), reverse=True)
    assert newest["last_seen"].to_list() == [row["last_seen"] for row in every[:4]]
    assert newest["count"].to_list() == [3] * 4
    assert lake.query(Filter(team="nobody"), limit=4).is_empty()


def test_query_of_the_unattributed_finds_them_alone(lake: Lake) -> None:
    put(lake, [sighting("a"), sighting("b", line=2, team=None, attributed_by="tie")], "r")

    assert lake.query(Filter(unattributed=True))["attributed_by"].to_list() == ["tie"]


def test_count_by_columns_and_day_adds_up(lake: Lake) -> None:
    put(lake, [sighting("a"), sighting("a", line=2), sighting("b", line=3, team="XE-CERT")], "r")
    put(lake, [sighting("b", "s", team="XE-CERT"), sighting("c", "s", 2, observed_at=START + timedelta(days=1))], "s")

    by_team = {row[0]: row[1:] for row in lake.count(Filter(), ["team"]).rows()}
    by_day = {row[0]: row[1:] for row in lake.count(Filter(), ["day"]).rows()}

    assert by_team == {"XA-CERT": (2, 3), "XE-CERT": (1, 2)}
    assert by_day == {date(2026, 1, 10): (2, 4), date(2026, 1, 11): (1, 1)}
    assert lake.count().rows() == [(3, 5)]


def test_count_by_an_unknown_column_names_the_known(lake: Lake) -> None:
    with pytest.raises(UnknownColumn, match="rsit_type"):
        lake.count(Filter(), ["1; DROP TABLE"])


def test_rejects_of_a_report_come_by_the_beginning_of_its_id(lake: Lake) -> None:
    lines = [rejected("r", 2, b"caf\xe9 \x00\x1b[31m"), rejected("r", 1, b"first")]
    lake.commit(lake.stage(sightings(), rejects(lines), [part("r", 1, 0, bad=2)]))
    lake.commit(lake.stage(sightings(), rejects([rejected("s", 1, b"other")]), [part("s", 1, 0, bad=1)]))

    found = lake.rejects(report_id("r")[:12])

    assert found["line_number"].to_list() == [1, 2]
    assert found["raw"].to_list() == [b"first", b"caf\xe9 \x00\x1b[31m"]
    assert lake.rejects().height == 3
    with pytest.raises(UnknownReport):
        lake.rejects("zz")
    with pytest.raises(AmbiguousReport):
        lake.rejects("")


def test_compact_changes_nothing_that_a_reader_sees(lake: Lake) -> None:
    rows = []
    for n in range(5):
        batch = [
            sighting(s, n, line, observed_at=START + timedelta(minutes=n)) for line, s in enumerate((n, "a", "b"), 1)
        ]
        put(lake, batch, n)
        rows += batch
    before = shown(lake.query())

    done = lake.compact(START.date())

    assert done is not None
    assert (done.files_before, done.files_after, done.rows_before, done.rows_after) == (5, 1, 15, 7)
    assert before == shown(lake.query()) == folded(rows)
    assert lake.count(Filter(), ["day"]).rows() == [(START.date(), 7, 15)]
    assert lake.compact(START.date()) is None


def test_compact_with_files_of_several_days_keeps_them_all(lake: Lake) -> None:
    rows = []
    for n in range(3):
        batch = [sighting("a", n, day + 1, observed_at=START + timedelta(days=day)) for day in range(4)]
        put(lake, batch, n)
        rows += batch

    lake.compact(START.date())

    assert shown(lake.query()) == folded(rows)
    counted = put(lake, [sighting("a", "later"), sighting("z", "later", 2)], "later")
    assert (counted.new, counted.repeats) == (1, 1)
    assert lake.count().rows() == [(5, 14)]


def test_compact_while_a_reader_reads_does_not_disturb_it(lake: Lake) -> None:
    for n in range(3):
        put(lake, [sighting(n, n), sighting("a", n, 2)], n)
    cursor = lake._catalogue.cursor()
    cursor.execute("BEGIN")
    asked = "SELECT count(*), count(DISTINCT event_id) FROM lake.events"
    before = cursor.execute(asked).fetchall()

    lake.compact(START.date())

    assert before == [(6, 4)] == cursor.execute(asked).fetchall()
    cursor.close()
    assert lake.query().height == 4


def test_tidy_merges_a_day_with_many_small_files(lake: Lake) -> None:
    rows = []
    for n in range(17):
        batch = [sighting(n % 5, n)]
        put(lake, batch, n)
        rows += batch

    (done,) = lake.tidy()

    assert (done.files_before, done.files_after, done.rows_after) == (17, 1, 5)
    assert shown(lake.query()) == folded(rows)
    assert lake.tidy() == []


def with_rejects(lake: Lake, number: int) -> None:
    bad = rejects([rejected(f"r{number}", 2, b"\xff"), rejected(f"r{number}", 1, b"bad")])
    lake.commit(lake.stage(sightings(), bad, [part(f"r{number}", 1, 0, bad=2)]))


def files_of_rejects(lake: Lake) -> int:
    cursor = lake._catalogue.cursor()
    try:
        return len(cursor.execute("SELECT * FROM ducklake_list_files('lake', 'rejects')").fetchall())
    finally:
        cursor.close()


def test_tidy_merges_the_small_files_of_rejected_lines_and_changes_nothing_in_them(lake: Lake) -> None:
    for number in range(17):
        with_rejects(lake, number)
    before = lake.rejects()

    lake.tidy()

    assert files_of_rejects(lake) == 1
    assert (before.height, lake.rejects().equals(before)) == (34, True)
    assert lake.rejects(before["report_id"][0]).height == 2
    assert [entry for entry in lake._catalogue.home.staging.iterdir() if len(entry.name) == 32] == []


def test_pack_of_rejects_that_another_has_packed_changes_nothing(lake: Lake) -> None:
    for number in range(3):
        with_rejects(lake, number)
    cursor = lake._catalogue.cursor()
    files = [
        row[0] for row in cursor.execute("SELECT data_file FROM ducklake_list_files('lake', 'rejects')").fetchall()
    ]
    cursor.close()
    before = lake.rejects()

    first = packing.pack(lake._catalogue, span_of(files[0]), files)
    second = packing.pack(lake._catalogue, span_of(files[0]), files)

    assert (first, second, files_of_rejects(lake)) == (True, False, 1)
    assert lake.rejects().equals(before)


def test_commit_from_four_threads_loses_and_doubles_nothing(lake: Lake) -> None:
    rows = {n: [sighting((n * 3 + k) % 17, n, k + 1) for k in range(10)] for n in range(12)}
    counted: list[Counted] = []

    def work(numbers: range) -> None:
        for n in numbers:
            counted.append(put(lake, rows[n], n))

    threads = [threading.Thread(target=work, args=(range(start, 12, 4),)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    every = [row for batch in rows.values() for row in batch]
    assert shown(lake.query()) == folded(every)
    assert sum(one.new for one in counted) == 17
    assert sum(one.new + one.repeats for one in counted) == len(every)


def test_open_of_a_lake_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(LakeMissing):
        Lake.open(home_at(tmp_path), create=False)


@pytest.mark.sqlite(why="spoils the file that SQLite keeps")
def test_open_of_something_else_says_so(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    Path(home.lake_catalogue).write_bytes(b"this is no catalogue" * 100)

    with pytest.raises(LakeUnreadable):
        Lake.open(home)


def test_open_of_a_newer_lake_refuses(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    with Lake.open(home) as lake:
        lake._catalogue.write(
            lambda cursor: cursor.execute(f"UPDATE lake.head SET schema_version = {SCHEMA_VERSION + 1}").fetchall()
        )

    with pytest.raises(LakeNewer):
        Lake.open(home)


def test_open_of_a_moved_lake_finds_everything(tmp_path: Path) -> None:
    with Lake.open(home_at(tmp_path / "here")) as lake:
        put(lake, [sighting()], "r")
    (tmp_path / "here").rename(tmp_path / "there")
    catalogue = postgres.url_of(tmp_path / "here")  # does not move with the folder

    with Lake.open(home_at(tmp_path / "there", catalogue)) as moved:
        assert moved.query().height == 1


@pytest.mark.sqlite(why="the write-ahead log is SQLite's")
def test_open_keeps_the_catalogue_in_the_write_ahead_log(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    Lake.open(home).close()

    with sqlite3.connect(home.lake_catalogue) as catalogue:
        assert catalogue.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    catalogue.close()


def test_export_as_json_spells_ids_times_and_extra(lake: Lake, tmp_path: Path) -> None:
    put(lake, [sighting(extra='{"k": [1, "é"]}', observed_at=datetime(2026, 1, 10, 8, 0, 0, 250_000, UTC))], "r")

    number = lake.export(Filter(), str(tmp_path / "out.json"), "json")

    (event,) = [json.loads(line) for line in (tmp_path / "out.json").read_text().splitlines()]
    assert number == 1
    assert event["event_id"] == event_id("a", START.date()).hex()
    assert (event["observed_at"], event["received_at"]) == ("2026-01-10T08:00:00.250000Z", "2026-01-11T08:00:00Z")
    assert event["extra"] == {"k": [1, "é"]}
    assert event["hostname"] is None


def test_sweep_removes_replaced_files_and_orphans_and_nothing_else(lake: Lake) -> None:
    rows = [sighting("a", n) for n in range(3)]
    for n, row in enumerate(rows):
        put(lake, [row], n)
    lake.commit(lake.stage(sightings(), rejects([rejected("x", 1, b"bad")]), [part("x", 1, 0, bad=1)]))
    put(lake, [sighting("b", "later", observed_at=START + timedelta(days=1))], "later")
    lake.compact(START.date())
    root = lake._catalogue.home.lake
    orphan, young = (root / "main" / "events" / "2026-01-10" / f"{name}-0.parquet" for name in ("old", "young"))
    for file in (orphan, young):
        file.write_bytes(b"of a process that died")
    weeks_ago = time.time() - 30 * 86_400
    for file in root.rglob("*.parquet"):
        if file != young:
            os.utime(file, (weeks_ago, weeks_ago))

    compaction.sweep(lake._catalogue)
    kept = {file.name for file in root.rglob("*.parquet")}
    compaction.sweep(lake._catalogue, days=0)
    compaction.sweep(lake._catalogue, days=0)
    left = {file.name for file in root.rglob("*.parquet")}

    assert orphan.name not in kept
    assert young.name in left
    assert (len(kept), len(left)) == (3 + 1 + 1 + 1 + 1, 1 + 1 + 1 + 1)
    assert lake.count().rows() == [(2, 4)]
    assert lake.rejects().height == 1
    assert put(lake, [sighting("a", "again"), sighting("c", "again", 2)], "again").new == 1


@pytest.mark.sqlite(why="reaches into the catalogue by SQLite's own tables")
def test_open_after_an_interrupted_first_start_finishes_the_lake(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    Lake.open(home).close()
    with sqlite3.connect(home.lake_catalogue) as catalogue:
        (table,) = catalogue.execute("SELECT table_id FROM ducklake_table WHERE table_name = 'head'").fetchone()
        inlined = [
            name
            for (name,) in catalogue.execute(
                "SELECT name FROM sqlite_master WHERE name LIKE ?", [f"ducklake_inlined_data_{table}%"]
            )
        ]
        for name in inlined:
            catalogue.execute(f"DELETE FROM {name}")  # as a process killed before its last step leaves it
    assert inlined

    with Lake.open(home) as lake:
        counted = put(lake, [sighting("a")], "r")

    assert counted.new == 1
