"""The lake as the rest of the program sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType

import polars as pl

from tansiq.core.columns import REJECTED
from tansiq.core.home import Home
from tansiq.lake import commit as committing
from tansiq.lake import files
from tansiq.lake.catalogue import Catalogue
from tansiq.lake.files import Staged
from tansiq.lake.fold import SIGHTING
from tansiq.lake.known import Known
from tansiq.lake.values import Counted, Progress, Slice, check

MEMORY_MB = 512


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

    def commit(self, staged: Staged) -> list[Counted]:
        """Make a staged batch part of the lake in one durable transaction; counts by report, in slice order.

        An event counts as new to the report of its canonical sighting when no batch held it before; every other
        sighting is a repeat. Exact also with several processes: look-up and commit see the same snapshot.

        Raises: Overtaken: the slices are not the next lines of their reports; the batch is dropped.
            LakeBusy: the batch is still staged, commit it again. DiskFull: the same.
        """
        return committing.commit(self._catalogue, self._known, staged)

    def discard(self, staged: Staged) -> None:
        """Drop a batch that will not be committed."""
        files.discard(staged, self._catalogue.home.lake)


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
