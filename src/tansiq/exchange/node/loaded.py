"""What a settlement works on: objects, what waits of them, channels, and what they refer to, read in few queries."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from tansiq.exchange.body import State, Version
from tansiq.exchange.kinds import owner_of
from tansiq.exchange.models import InChannel, SharedObject, Waiting, WaitingFor
from tansiq.exchange.node import candidates
from tansiq.exchange.node.candidates import Candidate
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.locking import lock
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Applied, Recall

LARGEST_READ_BYTES = 16 * 1024**2
"""Bodies of one transaction that are read at once."""
_NO_OBJECT = (candidates.KIND, candidates.BLOB, candidates.RECALLED)


class Loaded:
    """
    Attributes:
        channels: by key.
        shared: object -> its row, stored or not yet; only those that are there.
        waiting: object -> key of an item -> candidate; an object is loaded if it is in it.
    """

    def __init__(self, channels: Iterable[InChannel]) -> None:
        self.channels = {channel.pk: channel for channel in channels}
        self.shared: dict[str, SharedObject] = {}
        self.waiting: dict[str, dict[str, Candidate]] = {}

    def load(self, objects: Iterable[str]) -> list[Candidate]:
        """What is stored of objects that are not loaded yet, in three queries. Returns: what of them waits."""
        new = sorted(set(objects) - self.waiting.keys())
        if not new:
            return []
        self.waiting |= {identifier: {} for identifier in new}
        rows = SharedObject.objects.filter(pk__in=new)
        lock(rows)
        named = rows.select_related("statement", "proven").defer("statement__content", "proven__content")
        self.shared |= {row.object: row for row in named}
        is_over = Q(state=State.REFUSED, ready=False)
        waiting = list(Waiting.objects.filter(object__in=new).exclude(is_over).defer("body"))
        return self._read(waiting) if waiting else []

    def _read(self, rows: list[Waiting]) -> list[Candidate]:
        missing = {row.channel_id for row in rows} - self.channels.keys()
        self.channels |= InChannel.objects.select_for_update().in_bulk(missing)
        lacking: dict[int, set[str]] = {}
        for waiting, what in WaitingFor.objects.filter(waiting__in=rows).values_list("waiting_id", "what"):
            lacking.setdefault(waiting, set()).add(what)
        bodies = _bodies([row for row in rows if row.ready])
        found = []
        for row in rows:
            row.channel = self.channels[row.channel_id]
            if row.pk in bodies:
                row.body = bodies[row.pk]
            found.append(Candidate.stored(row, lacking.get(row.pk, set())))
            self.waiting[row.object][found[-1].item.key] = found[-1]
        return found

    def reload(self, identifier: str) -> list[Candidate]:
        """What is loaded of an object is not what is stored any more. What has just come of it is kept."""
        self.shared.pop(identifier, None)
        before = self.waiting.pop(identifier, {})
        found = self.load([identifier])
        self.waiting[identifier] |= {key: one for key, one in before.items() if one.row.pk is None}
        return found

    def live(self, identifier: str) -> Applied | None:
        row = self.shared.get(identifier)
        if row is None or row.statement is None:
            return None
        return Applied(Version(row.statement.term, row.statement.n), row.statement.leaf, row.epoch)

    def recall(self, identifier: str) -> Recall | None:
        row = self.shared.get(identifier)
        if row is None or (row.narrowed_term, row.narrowed_n, row.left_term, row.left_n) == (0, 0, 0, 0):
            return None
        return Recall(Version(row.narrowed_term, row.narrowed_n), Version(row.left_term, row.left_n), row.recall_epoch)

    def row(self, identifier: str, kind: str) -> SharedObject:
        if identifier not in self.shared:
            self.shared[identifier] = SharedObject(object=identifier, kind=kind, owner=owner_of(identifier))
        return self.shared[identifier]


def _bodies(rows: list[Waiting]) -> dict[int, bytes]:
    """Those that are about to be applied, unless they are too long to be read together: then each when it is."""
    if sum(row.size_bytes for row in rows) > LARGEST_READ_BYTES:
        return {}
    return dict(Waiting.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "body"))


class Needs:
    """What candidates need, who needs it, and what of it is here (5.13, 5.18, 5.20, 5.21)."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._known: dict[str, bool] = {}
        self._needing: dict[str, set[str]] = {}

    def remember(self, candidate: Candidate) -> None:
        for what in candidate.lacking:
            self._needing.setdefault(what, set()).add(candidate.row.object)

    def look_up(self, what: Iterable[str]) -> None:
        """Which references and blobs are here: one query."""
        asked = set(what) - self._known.keys()
        objects = sorted(one for one in asked if owner_of(one) and not one.startswith(_NO_OBJECT))
        rows = SharedObject.objects.filter(pk__in=objects, known=True)
        known = set(rows.values_list("pk", flat=True)) if objects else set()
        for one in asked:
            is_blob = one.startswith(candidates.BLOB)
            self._known[one] = self._here.has_blob(one.removeprefix(candidates.BLOB)) if is_blob else one in known

    def now_known(self, identifier: str) -> set[str] | None:
        """References to it are satisfied from now on. Returns: objects that waited for it; None: it was known."""
        if self._known.get(identifier):
            return None
        self._known[identifier] = True
        return self._needing.pop(identifier, set())

    def missing(self, candidate: Candidate) -> set[str]:
        """What it lacks still."""
        self.look_up(candidate.lacking)
        return {what for what in candidate.lacking if not self._known[what]}

    def lack(self, candidate: Candidate) -> Reason | None:
        """Why it waits, the first reason that there is."""
        missing = self.missing(candidate) if candidate.lacking else ()
        if not missing:
            return None
        if candidates.CLOCK in missing:
            return Reason.CLOCK
        if any(what.startswith(candidates.KIND) for what in missing):
            return Reason.KIND
        return Reason.BLOB if all(what.startswith(candidates.BLOB) for what in missing) else Reason.REFERENCE
