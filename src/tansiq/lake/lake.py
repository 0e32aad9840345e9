"""The lake as the rest of the program sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from types import TracebackType

import polars as pl

from tansiq.core.columns import REJECTED, STORED
from tansiq.core.home import Home
from tansiq.lake import commit as committing
from tansiq.lake import compaction, files, packing
from tansiq.lake import reading as read
from tansiq.lake import rejects as rejecting
from tansiq.lake.catalogue import Catalogue
from tansiq.lake.files import Staged
from tansiq.lake.fold import SIGHTING
from tansiq.lake.known import Known
from tansiq.lake.reading import Form
from tansiq.lake.values import Compacted, Counted, Filter, Progress, Slice, check

MEMORY_MB = 512
EVERYTHING = Filter()
ALL_COLUMNS = tuple(STORED)


class Lake:
    """Observations in columns: append-only, folded when read.

    One object a process. Every method may be called from several threads: reads and ``stage`` run side by side,
    commits one after the other. Several processes may write while others read.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known = Known()

    @classmethod
    def open(cls, home: Home, *, create: bool = True, memory_mb: int = MEMORY_MB) -> Lake:
        """The lake of a node; an absent one is made, unless ``create`` is False.

        Args:
            memory_mb: what the query engine may use before it spills to disk; the frames given to ``stage`` come
                on top, about three times their size while they are folded and written.
        Raises: LakeMissing, LakeUnreadable, LakeNewer, ExtensionMissing, DiskFull.
        """
        lake = cls(Catalogue(home, create=create, memory_mb=memory_mb))
        files.remove_orphans(home.staging)
        return lake

    def close(self) -> None:
        self._catalogue.close()

    def __enter__(self) -> Lake:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def progress(self, report_ids: Iterable[str]) -> dict[str, Progress]:
        """How far the lake has got with each report; a report it holds nothing of is absent."""
        cursor = self._catalogue.cursor()
        try:
            return committing.progress(cursor, list(report_ids))
        finally:
            cursor.close()

    def stage(self, events: pl.DataFrame, rejects: pl.DataFrame, slices: Sequence[Slice]) -> Staged:
        """Fold, sort and write a batch, durably but visible to nobody.

        Args:
            events: n sightings, columns of ``fold.SIGHTING`` (others are ignored); event_id holds 16 bytes.
            rejects: columns of ``core.columns.REJECTED``.
            slices: what of which report the batch holds, at most one slice a report.
        Raises: DiskFull: nothing is left; ValueError: slices and rows do not agree, a programmer's mistake.
        """
        check(slices)
        agree(events, rejects, slices)
        return files.stage(self._catalogue.home.staging, events.select(list(SIGHTING)), rejects, slices)

    def commit(self, *staged: Staged) -> list[Counted]:
        """Make staged batches part of the lake in one durable transaction; counts by report, in slice order.

        Several at once cost hardly more than one: a transaction's own price is that of about 20,000 rows.

        An event counts as new to the report of its canonical sighting when no batch held it before; every other
        sighting is a repeat. Exact also with several processes: look-up and commit see the same snapshot.

        Raises: Overtaken: the slices are not the next lines of their reports; the batches are dropped.
            LakeBusy: the batches are still staged, commit them again. DiskFull: the same.
        """
        return committing.commit(self._catalogue, self._known, staged)

    def preview(self, staged: Staged) -> list[Counted]:
        """What ``commit`` would answer now. Nothing is stored; the batch stays staged."""
        return committing.preview(self._catalogue, staged)

    def discard(self, staged: Staged) -> None:
        """Drop a batch that will not be committed."""
        files.discard(staged, self._catalogue.home.lake)

    def query(
        self, asked: Filter = EVERYTHING, *, columns: Sequence[str] = ALL_COLUMNS, limit: int | None = None
    ) -> pl.DataFrame:
        """The events asked for, folded, in memory. With ``limit`` the newest by ``last_seen``, newest first.

        Conditions on what the event's id fixes (feed, type, ip, malware) are exact always. Team, country and ASN
        follow from the claim and address tables: where all batches of the days asked for used the same tables they
        are asked of the files, else every event is folded first and judged by its canonical sighting. The one case
        in which sightings under the same tables still differ is an address unknown to the tables for which a feed
        names different ASNs on one day: such an event is found under each until its day is compacted.

        Args:
            columns: names out of core.columns.STORED.
        """
        return read.query(self._catalogue, asked, columns, limit)

    def count(self, asked: Filter = EVERYTHING, by: Sequence[str] = ()) -> pl.DataFrame:
        """Numbers of events and sightings by the columns ``by`` (of STORED, or ``day``), most events first.

        Raises: UnknownColumn.
        """
        return read.count(self._catalogue, asked, by)

    def export(
        self,
        asked: Filter,
        path: str,
        form: Form,
        *,
        columns: Sequence[str] = ALL_COLUMNS,
        limit: int | None = None,
    ) -> int:
        """Write the events to a file or pipe (``/dev/fd/…``) as json (one object a line), csv or parquet; how many.

        Memory stays flat. In json and csv event_id is 32 hexadecimal digits, times are RFC 3339 in UTC, and in json
        ``extra`` is an object; parquet has the types of STORED. Without ``limit`` in no particular order.

        Raises: DiskFull; OSError: the file cannot be written.
        """
        return read.export(self._catalogue, asked, path, form, columns, limit)

    def export_by_team(self, asked: Filter, folder: str) -> None:
        """Write the events below ``folder``, which must not exist: ``team=CODE/*.parquet``, the types of STORED.

        Those of no team are in ``team=__HIVE_DEFAULT_PARTITION__``; a team without events has no folder.

        Raises: DiskFull; OSError: the folder cannot be written.
        """
        read.export_by_team(self._catalogue, asked, folder)

    def rejects(self, report: str | None = None, *, limit: int | None = None) -> pl.DataFrame:
        """Rejected lines of the report whose id begins with ``report``, or of all reports.

        Columns of REJECTED, and ``text``: the raw line where it is UTF-8, else null.

        Raises: UnknownReport, AmbiguousReport.
        """
        return rejecting.rejects(self._catalogue, report, limit)

    def compact(self, day: date) -> Compacted | None:
        """Fold the files of a day into as few as possible, in one transaction, readers undisturbed.

        None: there was but one file, or another process replaced one meanwhile.
        Raises: DiskFull.
        """
        return compaction.compact(self._catalogue, self._known, day)

    def tidy(self) -> list[Compacted]:
        """Compact the days that have many small files, of events (told) and of rejected lines; remove what was
        replaced days ago. Call it after ingesting."""
        packing.pack_rejects(self._catalogue)
        return compaction.tidy(self._catalogue, self._known)

    def feeds(self) -> set[str]:
        """Codes of the feeds of which the lake holds reports."""
        return read.feeds(self._catalogue)

    def days(self) -> list[date]:
        """Days of which the lake holds events, in order."""
        return compaction.days(self._catalogue)


def agree(events: pl.DataFrame, rejects: pl.DataFrame, slices: Sequence[Slice]) -> None:
    """Refuse a batch whose rows are not what its slices say. Raises: ValueError."""
    for frame, kind in ((events, "events"), (rejects, "rejected")):
        counts = dict(frame["report_id"].value_counts().iter_rows())
        said = {one.report_id: getattr(one, kind) for one in slices if getattr(one, kind)}
        if counts != said:
            raise ValueError(f"{kind} by report are {counts}, the slices say {said}")
    if (
        (events["event_id"].bin.size() != 16).any()
        or events["event_id"].null_count()
        or events["observed_at"].null_count()
    ):
        raise ValueError("every sighting needs observed_at and an event_id of 16 bytes")
    if missing := set(REJECTED) - set(rejects.columns):
        raise ValueError(f"rejects lack {sorted(missing)}")
