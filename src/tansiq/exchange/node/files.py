"""Files between nodes: fetched in chunks of whoever has them, given to whoever may have them (section 9).

What is wanted is in the tables (``models.Blob``) and what came of it on the disk (``BlobStore``), so that it goes on
after a restart in the middle. What is under way is known to this process alone; it is little, so that neither the
backbone's quota nor a slow line is filled by a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, islice
from threading import RLock

from django.db import transaction
from django.db.models import Q

from tansiq.exchange.blob import decrypted_chunk, indices
from tansiq.exchange.blob_room import BlobNoRoom
from tansiq.exchange.blobs import BlobContradicts, BlobNotHeld, BlobStore
from tansiq.exchange.body import BlobReference
from tansiq.exchange.models import Alarm, Blob
from tansiq.exchange.node import alarms, holding, settling, uses
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.statements import blob_of
from tansiq.exchange.requests import ChunkGiven, ChunksAsked
from tansiq.exchange.sending import pause
from tansiq.exchange.values import Unfit

AT_ONCE = 8
"""Chunks of one ask: 4 MB."""
WINDOW = 16
"""Chunks under way from one peer; the smallest quota of the backbone is 40 messages (``jetstream.Quotas``)."""
FIRST_WINDOW = 2
FETCHES, FETCHES_OF_A_PEER = 8, 2
"""Files that are fetched at the same time."""
PATIENCE = timedelta(seconds=5)
"""After which a file of which nothing comes is asked for again; more where its peer is known to be slow."""
OF_ONE_SOURCE = 3
"""Attempts in vain before another node is asked."""
NO_ROOM_PAUSE = timedelta(minutes=5)
CONTRADICTED_PAUSE = timedelta(hours=1)
"""Where nobody else has it than those whose chunks were wrong."""
UNNAMED = timedelta(days=1)
"""A file that a desk keeps is to be named by a version before it is as old as that."""
ROUNDS = 20
LOOKED_AT = 50
ROOM, CONTRADICTS = "room", "contradicts"
NO_ROOM_ALARM = "exchange.blob_no_room"
CONTRADICTS_ALARM = "exchange.blob_contradicts"


@dataclass
class _Line:
    """What is known of a peer's pace.

    Attributes:
        window: chunks that may be under way.
        seconds: between two chunks, smoothed.
    """

    window: int = FIRST_WINDOW
    seconds: float = 0.0

    @property
    def patience(self) -> timedelta:
        return max(PATIENCE, timedelta(seconds=4 * self.seconds))

    def came(self, after: timedelta) -> None:
        self.window = min(WINDOW, self.window + 1)
        self.seconds = 0.8 * self.seconds + 0.2 * max(0.0, after.total_seconds())


@dataclass
class _Fetch:
    """A file that is being fetched.

    Attributes:
        under_way: chunks that were asked for and are not here.
        since: when something was asked or came last.
        moved: whether anything came.
    """

    key: int
    reference: BlobReference
    peer: str
    since: datetime
    under_way: set[int] = field(default_factory=set)
    moved: bool = False


class Files:
    """The files of one node, for one process of it. Safe between threads."""

    def __init__(self, store: BlobStore) -> None:
        self.store = store
        self._fetches: dict[int, _Fetch] = {}
        self._lines: dict[str, _Line] = {}
        self._changing = RLock()

    # ---- what this node asks for

    def wanted(self, here: Here, now: datetime) -> list[tuple[str, ChunksAsked]]:
        """What to ask of whom now; to be called every few seconds."""
        if holding.is_held():
            return []
        with self._changing:
            self._end_stalled(now)
            self._begin(here, now)
            return [(fetch.peer, asked) for fetch in list(self._fetches.values()) for asked in self._more(fetch, now)]

    def take(self, here: Here, chunk: ChunkGiven, now: datetime, *, peer: str) -> bool:
        """A chunk that ``peer`` gave. Whether it was one that is wanted here."""
        is_right = False
        for row in Blob.objects.filter(digest=chunk.digest, held_at=None):
            if not (row.trouble == ROOM and row.next_at is not None and now < row.next_at):
                is_right |= self._take(here, row, chunk, peer, now)
        return is_right

    def more(self, peer: str, now: datetime) -> list[ChunksAsked]:
        """What to ask of a peer next, of which something came."""
        with self._changing:
            fetches = [fetch for fetch in self._fetches.values() if fetch.peer == peer]
            return [asked for fetch in fetches for asked in self._more(fetch, now)]

    def _take(self, here: Here, row: Blob, chunk: ChunkGiven, peer: str, now: datetime) -> bool:
        try:
            is_whole = self.store.receive(blob_of(row.reference), chunk.index, chunk.data)
        except Unfit:
            return False
        except BlobNoRoom as full:
            self._no_room(row, full, now)
            return False
        except BlobContradicts:
            self._contradicted(row, peer, now)
            return False
        self._came(row, chunk.index, peer, now)
        if is_whole:
            self._hold(here, row, now)
        return True

    def _came(self, row: Blob, index: int, peer: str, now: datetime) -> None:
        with self._changing:
            fetch = self._fetches.get(row.pk)
            if fetch is not None:
                fetch.under_way.discard(index)
                if fetch.peer == peer:
                    self._line(peer).came(now - fetch.since)
                    fetch.since, fetch.moved = now, True
        is_new = peer not in row.senders
        if is_new or row.tries or row.trouble or row.next_at:
            row.senders = [*row.senders, peer] if is_new else row.senders
            row.tries, row.next_at, row.trouble = 0, None, ""
            row.save(update_fields=["senders", "tries", "next_at", "trouble"])

    def _hold(self, here: Here, row: Blob, now: datetime) -> None:
        """It is whole: what waited for it goes on."""
        self._drop(row)
        with transaction.atomic():
            settling.lock(now)
            Blob.objects.filter(pk=row.pk).update(held_at=now, tries=0, next_at=None, trouble="", avoid=[])
            settling.on_blob(here, row.digest, now)
        for _ in range(ROUNDS):
            if not settling.settle_ready(here, now):
                break

    # ---- how it is fetched

    def _end_stalled(self, now: datetime) -> None:
        """Of which nothing came for too long: what came is kept, and the rest asked for again when its time comes."""
        for fetch in list(self._fetches.values()):
            row = Blob.objects.filter(pk=fetch.key, held_at=None).first()
            if row is None:
                del self._fetches[fetch.key]
                continue
            line = self._line(fetch.peer)
            if not timedelta(0) <= now - fetch.since < line.patience:
                if fetch.moved:
                    line.window = max(1, line.window // 2)
                self._postpone(row, now, less=line.patience)

    def _begin(self, here: Here, now: datetime) -> None:
        rows = Blob.objects.filter(Q(next_at=None) | Q(next_at__lte=now), held_at=None).exclude(pk__in=self._fetches)
        for row in rows.order_by("tries", "wanted_at", "pk")[:LOOKED_AT]:
            if len(self._fetches) >= FETCHES:
                return
            reference = blob_of(row.reference)
            if self._is_here(reference):
                self._hold(here, row, now)
                continue
            peer = self._source(here, row, now)
            if peer is None:
                self._postpone(row, now)
            elif sum(fetch.peer == peer for fetch in self._fetches.values()) < FETCHES_OF_A_PEER:
                self._fetches[row.pk] = _Fetch(row.pk, reference, peer, now)

    def _source(self, here: Here, row: Blob, now: datetime) -> str | None:
        """Another after some attempts in vain; those whose chunks were wrong only if there is nobody else."""
        found = uses.sources(here, row)
        good = [peer for peer in found if peer not in row.avoid] or found
        return good[row.tries // OF_ONE_SOURCE % len(good)] if good else None

    def _more(self, fetch: _Fetch, now: datetime) -> Iterator[ChunksAsked]:
        """Asks for as many chunks as may be under way besides; none before half of those are here."""
        line = self._line(fetch.peer)
        under_way = sum(len(one.under_way) for one in self._fetches.values() if one.peer == fetch.peer)
        if under_way > line.window // 2:
            return
        try:
            missing = (index for index in indices(self.store.missing(fetch.reference)) if index not in fetch.under_way)
        except BlobContradicts:
            self._contradicted(Blob.objects.get(pk=fetch.key), "", now)
            return
        numbers = list(islice(missing, line.window - under_way))
        fetch.since = now if numbers else fetch.since
        fetch.under_way |= set(numbers)
        for start in range(0, len(numbers), AT_ONCE):
            yield ChunksAsked(digest=fetch.reference.digest, runs=runs_of(numbers[start : start + AT_ONCE]))

    def _line(self, peer: str) -> _Line:
        return self._lines.setdefault(peer, _Line())

    # ---- what goes wrong

    def _postpone(self, row: Blob, now: datetime, *, less: timedelta = timedelta(0)) -> None:
        """``less``: of its pause so much was waited already."""
        self._drop(row)
        wait = max(timedelta(0), pause(row.tries + 1) - less)
        Blob.objects.filter(pk=row.pk).update(tries=row.tries + 1, next_at=now + wait)

    def _no_room(self, row: Blob, full: BlobNoRoom, now: datetime) -> None:
        """Others may be smaller. What came stays; it goes on when there is room."""
        self._drop(row)
        Blob.objects.filter(pk=row.pk).update(next_at=now + NO_ROOM_PAUSE, trouble=ROOM)
        said = {name: full.values[name] for name in ("size_bytes", "free_bytes")}
        alarms.raise_alarm(NO_ROOM_ALARM, "", said, now)

    def _contradicted(self, row: Blob, peer: str, now: datetime) -> None:
        """Somebody who has the key made other chunks with it. All were thrown away; another node is asked."""
        self._drop(row)
        senders = sorted({*row.senders, peer} - {""})
        avoid = sorted({*row.avoid, *senders})
        Blob.objects.filter(pk=row.pk).update(
            trouble=CONTRADICTS, avoid=avoid, senders=[], next_at=now + CONTRADICTED_PAUSE if row.avoid else None
        )
        for sender in senders:
            alarms.raise_alarm(CONTRADICTS_ALARM, sender, {"digest": row.digest}, now)

    def _drop(self, row: Blob) -> None:
        with self._changing:
            self._fetches.pop(row.pk, None)

    # ---- what others ask for

    def given(self, here: Here, peer: str, asked: ChunksAsked, now: datetime) -> Iterator[ChunkGiven]:
        """The chunks, one at a time in memory. None, where it is not here or ``peer`` may not have it (section 9)."""
        if not self.may_give(here, peer, asked.digest, now):
            return
        for index in indices(asked.runs):
            try:
                data = self.store.chunk(asked.digest, index)
            except BlobNotHeld:
                return
            yield ChunkGiven(digest=asked.digest, index=index, data=data)

    def may_give(self, here: Here, peer: str, digest: str, now: datetime) -> bool:
        """Whether a file is here that ``peer`` may have now."""
        return not holding.is_held() and any(self._holds(row, now) for row in uses.may_get(here, peer, digest, now))

    def _holds(self, row: Blob, now: datetime) -> bool:
        """Whether it is here under this row's key. One that this node keeps itself may not have been looked at yet."""
        if row.held_at is not None:
            return True
        if not self._is_here(blob_of(row.reference)):
            return False
        Blob.objects.filter(pk=row.pk).update(held_at=now)
        return True

    def _is_here(self, reference: BlobReference) -> bool:
        """Held, and by this key: who names another's file by a key of his own has nothing."""
        if not self.store.is_held(reference):
            return False
        try:
            decrypted_chunk(self.store.chunk(reference.digest, 0), 0, of=reference)
        except (Unfit, BlobNotHeld):
            return False
        return True

    # ---- in order

    def tidy(self, now: datetime) -> int:
        """Delete what no version names any more; to be called every few seconds. How many files."""
        deleted = uses.forget(self.store)
        is_said = Alarm.objects.filter(code=NO_ROOM_ALARM, ended_at=None).exists()
        if is_said and not Blob.objects.filter(trouble=ROOM).exists():
            alarms.end_alarm(NO_ROOM_ALARM, "", now)
        return deleted

    def look_over(self, here: Here, now: datetime) -> None:
        """After a start, and daily: what versions name is on the disk, and nothing else that is older than a day."""
        uses.drop_superseded(here)
        self.store.sweep()
        for row in list(Blob.objects.exclude(held_at=None)):
            if not self.store.is_held(blob_of(row.reference)):
                Blob.objects.filter(pk=row.pk).update(held_at=None, wanted_at=now, tries=0, next_at=None)
        for digest in list(self.store.digests()):
            touched_at = self.store.touched_at(digest)
            is_old = touched_at is not None and now - touched_at >= UNNAMED
            if is_old and not Blob.objects.filter(digest=digest).exists():
                self.store.delete(digest)

    def mend(self, reference: BlobReference, now: datetime) -> bool:
        """A reader found it damaged (``BlobDamaged``): what is not right is fetched anew. Whether it is held still."""
        if self.store.mend(reference):
            return True
        rows = Blob.objects.filter(digest=reference.digest)
        rows.update(held_at=None, wanted_at=now, tries=0, next_at=None)
        return False


def runs_of(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Ascending numbers as runs, first and last."""
    runs = [
        [number for _at, number in run] for _key, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])
    ]
    return tuple((run[0], run[-1]) for run in runs)
