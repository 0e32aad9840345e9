"""The main job: reports in, events stored with the team that answers for them.

    collect -> read -> [parse -> attribute -> name -> fold -> write] -> commit

What stands in brackets runs on whole blocks in several threads; reading goes before it and commits come after it, in
order, in the caller's thread. A *unit* is what is committed at once: a block of a large report, or many small reports
together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Lock
from time import monotonic

import polars as pl

from tansiq.attribution.table import AttributionTable, attribute
from tansiq.core.columns import REJECTED, TIME
from tansiq.core.errors import N_, TansiqError
from tansiq.core.home import Home
from tansiq.core.identity import event_ids
from tansiq.feeds.choice import chosen
from tansiq.feeds.collect import Collected, collect, remove_leftovers
from tansiq.feeds.feed import Feed
from tansiq.feeds.parse import Job, Parsed, jobs, sample
from tansiq.lake import Counted, Lake, Overtaken, Progress, Slice, Staged
from tansiq.workers import tables

THREADS = 2
"""That prepare units. More would cost memory by the block and gain little: the column engine has threads of its own."""

UNIT_REPORTS = 64
"""How many small reports are committed together: enough to spread a commit's cost, few enough for all cores."""

UNITS_A_COMMIT = 3
"""How many units are committed at once: a transaction costs as much as a tenth of a unit's work."""


class Stalled(TansiqError):
    code = "ingest.stalled"
    message = N_("Report {file} could not be stored: other processes are storing it at the same time, again and again.")
    remedy = N_("Wait for them to end, then ingest it once more: what is stored is not stored twice.")
    transient = True


@dataclass(eq=False)
class Report:
    """A report on its way through: what is known of it, and what this run has brought of it."""

    file: str
    source: Path
    feed: Feed | None = None
    collected: Collected | None = None
    error: TansiqError | None = None
    twin: bool = False  # the same bytes as an earlier file of this run
    again: bool = False  # overtaken by another process: go on from where the lake stands
    start_line: int = 1
    stored_before: bool = False
    placed: bool = False  # whether start_line and stored_before say how far the lake has got
    blank: int = 0
    events: int = 0
    new: int = 0
    rejected: int = 0
    share: float = 0.0  # of its bytes that are stored, 0..1
    started: float = 0.0
    seconds: float = 0.0

    @property
    def lines(self) -> int:
        return self.blank + self.events + self.rejected

    @property
    def repeats(self) -> int:
        return self.events - self.new

    @property
    def report_id(self) -> str:
        assert self.collected is not None
        return self.collected.report_id

    @property
    def settled(self) -> bool:
        """Whether nothing of it is left to store: it is stored, or is being stored, or cannot be."""
        return self.placed and (self.stored_before or self.twin or self.error is not None)

    def kept(self) -> None:
        """Wait until the bytes are durable. Raises: OSError."""
        assert self.collected is not None
        self.collected.kept.result()

    def stands(self, progress: Progress | None) -> None:
        """Take over what the lake holds of the report already."""
        self.placed = True
        if progress is not None:
            self.start_line, self.stored_before = progress.end_line, progress.complete
            self.blank, self.events, self.rejected = progress.blank, progress.events, progress.rejected

    def grows(self, stored: Slice) -> None:
        self.blank += stored.blank
        self.events += stored.events
        self.rejected += stored.rejected


@dataclass(frozen=True, slots=True)
class Part:
    report: Report
    last: bool
    size_bytes: int

    @property
    def share(self) -> float:
        """Of its report; of a packed one more than it is, hence capped where it is added up."""
        whole = self.report.collected.source.size_bytes if self.report.collected else 0
        return self.size_bytes / max(whole, 1)


Unit = list[tuple[Part, Job]]
Prepared = tuple[list[Part], Future[Staged | None]]  # without the jobs: they hold the text of their blocks
Watch = Callable[[Report], None]
"""Called in the caller's thread whenever more of a report is stored."""


def ingest(
    home: Home,
    files: Sequence[Path],
    *,
    feed: Feed | None,
    now: datetime,
    block_bytes: int,
    dry_run: bool = False,
    watch: Watch = lambda report: None,
) -> list[Report]:
    """Store what the reports say; one result a file, in the order given, each with its counts or its error.

    A report's lines are stored as a growing prefix, unit by unit, each durably and wholly or not at all. Running it
    again goes on where it stopped; a report that is stored already changes nothing.

    Args:
        feed: of all files, or None to recognise each by its head.
        now: stamped on events as ``received_at``.
        block_bytes: how much text a thread works on at once; memory grows with it, not with the reports.
        dry_run: do everything but the commit; ``new`` then counts against what the lake holds now, unit by unit.
    """
    reports = [Report(str(file), file, feed=feed) for file in files]
    with ExitStack() as closing:
        store = Path(closing.enter_context(TemporaryDirectory(dir=home.path))) if dry_run else home.reports
        run = closing.enter_context(Run(home, store, now=now, block_bytes=block_bytes, dry_run=dry_run, watch=watch))
        todo = reports
        for _attempt in range(100):
            run.go(todo)
            todo = [report for report in todo if report.again]
            if not todo:
                break
        for report in todo:
            report.error = Stalled(file=report.file)
        run.tidy()
        for report in reports:
            if report.collected is not None:
                report.collected.release()
            if report.twin and report.error is None:
                first = run.seen[report.report_id]
                report.blank, report.events, report.rejected = first.blank, first.events, first.rejected
    return reports


class Run:
    """The threads, the lake and the table of one run."""

    def __init__(
        self, home: Home, store: Path, *, now: datetime, block_bytes: int, dry_run: bool, watch: Watch
    ) -> None:
        self.home, self.store, self.now, self.block_bytes = home, store, now, block_bytes
        self.dry_run, self.watch = dry_run, watch
        self.seen: dict[str, Report] = {}
        self.seeing = Lock()
        self.ending = Event()

    def __enter__(self) -> Run:
        self.workers = ThreadPoolExecutor(THREADS, "ingest")
        self.keepers = ThreadPoolExecutor(1, "keep")
        remove_leftovers(self.store, now=self.now)
        self.table: Future[AttributionTable] = self.workers.submit(load_table, self.home)
        self.lake: Future[Lake] = self.workers.submit(Lake.open, self.home)
        return self

    def __exit__(self, *failure: object) -> None:
        self.workers.shutdown(cancel_futures=True)
        self.keepers.shutdown(cancel_futures=True)
        if self.lake.done() and not self.lake.exception():
            self.lake.result().close()

    def go(self, reports: Sequence[Report]) -> None:
        waiting: deque[Prepared] = deque()
        try:
            for unit in units(self.parts(reports), self.block_bytes):
                waiting.append(([part for part, _job in unit], self.workers.submit(self.prepare, unit)))
                del unit
                # One more than the threads work on, so that none of them waits for the next block to be read.
                while len(waiting) > THREADS + UNITS_A_COMMIT:
                    self.finish(waiting)
            while waiting:
                self.finish(waiting)
        except BaseException:
            self.abandon(waiting)
            raise

    def abandon(self, waiting: Iterable[Prepared]) -> None:
        """Leave nothing staged of what will not be committed, and begin nothing more."""
        self.ending.set()
        for _parts, coming in waiting:
            if not coming.cancel() and coming.exception() is None and (staged := coming.result()) is not None:
                self.lake.result().discard(staged)

    def parts(self, reports: Iterable[Report]) -> Iterator[tuple[Part, Job]]:
        """Every block of every report, unparsed; a report that cannot be read keeps its error and ends."""
        for report in reports:
            report.again = report.placed = False
            report.started = report.started or monotonic()
            try:
                yield from self.parts_of(report)
            except TansiqError as error:
                report.error = error
                self.watch(report)

    def parts_of(self, report: Report) -> Iterator[tuple[Part, Job]]:
        if report.collected is None:
            known = sample(report.source, name=report.file)
            report.feed = chosen(report.feed, known, file=report.file).fitted(known)
            report.collected = collect(report.source, self.store, self.keepers)
        here, feed = report.collected, report.feed
        assert feed is not None
        waiting, size_bytes = None, min(here.source.size_bytes, self.block_bytes)
        given = {"name": report.file, "block_bytes": self.block_bytes, "modified_at": here.modified_at}
        for job in jobs(report.source, feed, file=here.open(), **given):
            if waiting is not None:
                yield Part(report, False, size_bytes), waiting
            if report.settled:
                return
            waiting = job
        if waiting is not None:
            yield Part(report, True, size_bytes), waiting

    def prepare(self, unit: Unit) -> Staged | None:
        """Parse, attribute, name, fold and write one unit. In a thread; nothing of it is visible yet."""
        if self.ending.is_set():
            raise CancelledError
        # Parsed first: what the lake has of a report is asked by its hash, which may still be on its way.
        ready = [(part, job()) for part, job in unit]
        self.place([part.report for part, _job in unit])
        found = []
        for part, parsed in ready:
            if not part.report.settled:
                rest = parsed.since(part.report.start_line)
                if rest.lines or part.last:
                    found.append((part, rest))
        if not found:
            return None
        found.sort(key=lambda pair: pair[0].report.report_id)
        events = self.sightings(found)
        if self.ending.is_set():
            raise CancelledError
        rejects = pl.concat([rejected(part.report, parsed, self.now) for part, parsed in found])
        return self.lake.result().stage(events, rejects, [slice_of(part, parsed) for part, parsed in found])

    def place(self, reports: Sequence[Report]) -> None:
        """Find out, once a report, how far the lake has got with it. One question for all of them."""
        with self.seeing:
            fresh = {}
            for report in reports:
                if not report.placed:
                    try:
                        fresh[report] = report.report_id
                    except TansiqError as error:
                        report.error, report.placed = error, True
            stand = self.lake.result().progress(fresh.values()) if fresh else {}
            for report, report_id in fresh.items():
                report.twin = self.seen.setdefault(report_id, report) is not report
                report.stands(stand.get(report_id))

    def sightings(self, found: Sequence[tuple[Part, Parsed]]) -> pl.DataFrame:
        parsed = pl.concat([stamped(part.report, parsed, self.now) for part, parsed in found])
        events = attribute(parsed, table=self.table.result())
        return events.with_columns(event_ids(events))

    def finish(self, waiting: deque[Prepared]) -> None:
        """Commit the first units at once, in order, and count."""
        prepared = [waiting[place] for place in range(min(UNITS_A_COMMIT, len(waiting)))]
        batches = [staged for _parts, coming in prepared if (staged := coming.result()) is not None]
        parts = [part for some, _coming in prepared for part in some]
        for part in parts:
            if part.report.error is None:
                part.report.kept()
        try:
            counted = self.commit(batches) if batches else []
        except Overtaken:
            counted, batches = [], []
            for part in parts:
                part.report.again = True
        for _unit in prepared:
            waiting.popleft()
        for one in counted:
            self.seen[one.report_id].new += one.new
        for stored in (one for staged in batches for one in staged.slices):
            self.seen[stored.report_id].grows(stored)
        for part in parts:
            report = part.report
            report.share = 1.0 if part.last else min(1.0, report.share + part.share)
            report.seconds = monotonic() - report.started
            self.watch(report)

    def commit(self, batches: Sequence[Staged]) -> list[Counted]:
        lake = self.lake.result()
        if not self.dry_run:
            return lake.commit(*batches)
        try:
            return [one for staged in batches for one in lake.preview(staged)]
        finally:
            for staged in batches:
                lake.discard(staged)

    def tidy(self) -> None:
        """Merge what many small commits left in many small files, so that questions stay quick."""
        if not self.dry_run:
            self.lake.result().tidy()


def load_table(home: Home) -> AttributionTable:
    """In a thread, which has a connection of its own to the database and closes it."""
    from django.db import connections

    try:
        tables.refresh(home)
    finally:
        connections.close_all()
    table = AttributionTable.current(home.tables)
    assert table is not None, "refresh leaves a table"
    return table


def units(parts: Iterable[tuple[Part, Job]], block_bytes: int) -> Iterator[Unit]:
    """Parts in their order, as many together as make about one block."""
    unit: Unit = []
    size = 0
    for part, job in parts:
        if unit and (size + part.size_bytes > block_bytes or len(unit) >= UNIT_REPORTS):
            yield unit
            unit, size = [], 0
        unit.append((part, job))
        size += part.size_bytes
    if unit:
        yield unit


def stamped(report: Report, parsed: Parsed, now: datetime) -> pl.DataFrame:
    assert report.feed is not None
    return parsed.events.with_columns(
        pl.lit(report.feed.code).alias("feed"),
        pl.lit(report.feed.marking_id).alias("marking_id"),
        pl.lit(report.report_id).alias("report_id"),
        pl.lit(now, TIME).alias("received_at"),
    )


def rejected(report: Report, parsed: Parsed, now: datetime) -> pl.DataFrame:
    assert report.feed is not None
    return parsed.rejects.select(
        pl.lit(report.report_id).alias("report_id"),
        pl.lit(report.feed.code).alias("feed"),
        "line_number",
        "reason",
        "raw",
        pl.lit(now, TIME).alias("received_at"),
    ).cast(REJECTED)  # type: ignore[arg-type]


def slice_of(part: Part, parsed: Parsed) -> Slice:
    assert part.report.feed is not None
    return Slice(
        report_id=part.report.report_id,
        feed=part.report.feed.code,
        first_line=parsed.first_line,
        end_line=parsed.end_line,
        lines=parsed.lines,
        blank=parsed.blank,
        events=parsed.events.height,
        rejected=parsed.rejects.height,
        complete=part.last,
    )
