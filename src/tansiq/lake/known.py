"""Which events of a batch the lake holds already, exactly, at a cost that hardly grows with the lake.

A process remembers the ids of the files that it wrote or read, as sorted runs of 128-bit numbers by *span* (the days
that a file covers), and asks the files for what it does not know. Files never change, so what is remembered of a file
stays true; which files count is decided by the snapshot of the transaction that asks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import polars as pl

from tansiq.lake.catalogue import Cursor, Frame, quoted, statement
from tansiq.lake.fold import U64, halves

ROOM = 6_000_000  # ids that a process remembers, 16 bytes each
Bools = npt.NDArray[np.bool_]
Run = tuple[U64, U64]


@dataclass(slots=True)
class Days:
    """What is remembered of the files of one span."""

    files: set[str] = field(default_factory=set)
    runs: list[Run] = field(default_factory=list)

    def size(self) -> int:
        return sum(len(hi) for hi, _ in self.runs)


class Known:
    """The ids that this process remembers. Used under the lake's write lock only."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._spans: dict[str, Days] = {}  # the least recently used first
        self._asked: set[str] = set()

    def among(self, cursor: Cursor, ids: pl.DataFrame) -> Bools:
        """For each row of ``ids`` (event_id, day, hi, lo; sorted by day and hi): does the lake hold the event?"""
        found = np.zeros(len(ids), np.bool_)
        if ids.is_empty():
            return found
        days = ids["day"]
        live = files_of_days_in(cursor, days[0], days[-1])
        unknown = self._learn(cursor, live)
        hi, lo, numbers = ids["hi"].to_numpy(), ids["lo"].to_numpy(), days.to_physical().to_numpy()
        for span in {span_of(file) for file in live} & self._spans.keys():
            first, last = (day.toordinal() - EPOCH for day in days_of_span(span))
            some = slice(*np.searchsorted(numbers, [first, last + 1]))
            for run in self._spans[span].runs:
                found[some] |= within(hi[some], lo[some], run)
        if unknown:
            found |= scanned(cursor, ids, unknown)
        return found

    def remember(self, file: str, hi: U64, lo: U64) -> None:
        """The file at this path holds these ids (sorted by hi). Forgets other days if room is short."""
        span = span_of(file)
        days = self._spans.pop(span, Days())
        self._spans[span] = days
        self._make_room(len(hi), span)
        if sum(other.size() for other in self._spans.values()) + len(hi) > self._room:
            return
        days.files.add(file)
        days.runs.append((hi, lo))
        while len(days.runs) > 1 and len(days.runs[-2][0]) < 2 * len(days.runs[-1][0]):
            days.runs.append(merged(days.runs.pop(), days.runs.pop()))

    def replaced(self, olds: Collection[str], new: str) -> None:
        """A compaction put what ``olds`` held into ``new``; known still, if all of them were and had its days."""
        days = self._spans.get(span_of(new))
        if days and days.files.issuperset(olds):
            days.files.add(new)

    def _make_room(self, wanted: int, span: str) -> None:
        held = sum(days.size() for days in self._spans.values())
        for other in list(self._spans):
            if held + wanted <= self._room:
                return
            if other != span:
                held -= self._spans.pop(other).size()

    def _learn(self, cursor: Cursor, live: Sequence[str]) -> list[str]:
        """Read files that are asked for again; returns those that stay unknown and must be scanned."""
        unknown = []
        for file in live:
            days = self._spans.get(span_of(file))
            if days and file in days.files:
                continue
            if file in self._asked:
                self.remember(file, *ids_in(cursor, file))
            self._asked.add(file)
            days = self._spans.get(span_of(file))
            if not days or file not in days.files:
                unknown.append(file)
        return unknown


EPOCH = date(1970, 1, 1).toordinal()


def span_name(first: date, last: date) -> str:
    """The name of the folder for files that hold events of these days (both included)."""
    return first.isoformat() if first == last else f"{first.isoformat()}_{last.isoformat()}"


def span_of(file: str) -> str:
    return PurePosixPath(file).parent.name


def days_of_span(span: str) -> tuple[date, date]:
    first, _, last = span.partition("_")
    return date.fromisoformat(first), date.fromisoformat(last or first)


def files_of_days_in(cursor: Cursor, first: date, last: date) -> list[str]:
    """Paths of the files, under the transaction's snapshot, that may hold events of these days."""
    files = [row[0] for row in cursor.execute("SELECT data_file FROM ducklake_list_files('lake', 'events')").fetchall()]
    spans = {span: days_of_span(span) for span in {span_of(file) for file in files}}
    wanted = {span for span, (begin, end) in spans.items() if begin <= last and first <= end}
    return [file for file in files if span_of(file) in wanted]


def ids_in(cursor: Cursor, file: str) -> Run:
    """The ids in a file, sorted."""
    ids = pl.DataFrame(cursor.sql(f"SELECT event_id FROM read_parquet({quoted(file)})"))
    hi, lo = halves(ids["event_id"])
    order = np.argsort(hi)
    return hi[order], lo[order]


def merged(one: Run, other: Run) -> Run:
    hi, lo = np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])
    order = np.argsort(hi, kind="stable")  # two sorted halves: a merge
    return hi[order], lo[order]


def within(hi: U64, lo: U64, run: Run) -> Bools:
    """Which of the sorted ids are in the run. Ids whose upper halves agree are compared one after the other."""
    there, below = run
    found = np.zeros(len(hi), np.bool_)
    if not len(there):
        return found
    at = np.searchsorted(there, hi)
    rows = np.arange(len(hi))
    while len(rows):
        inside = at < len(there)
        rows, at = rows[inside], at[inside]
        equal = there[at] == hi[rows]
        rows, at = rows[equal], at[equal]
        hit = below[at] == lo[rows]
        found[rows[hit]] = True
        rows, at = rows[~hit], at[~hit] + 1
    return found


def scanned(cursor: Cursor, ids: pl.DataFrame, files: Sequence[str]) -> Bools:
    """Look the ids up in the files themselves; the batch is the small side that is kept in memory."""
    cursor.register("batch", Frame(ids.select("event_id").with_row_index("row")))
    paths = "[" + ", ".join(map(quoted, files)) + "]"
    rows = pl.DataFrame(cursor.sql(statement("known_events").format(files=paths)))["row"].to_numpy()
    found = np.zeros(len(ids), np.bool_)
    found[rows] = True
    return found
