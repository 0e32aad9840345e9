"""Everything that one transaction settles: loaded in a few queries, decided in memory, stored in a few queries.

``receiving.settle`` decides about one object; here is what it decides from and what follows: what is applied, what that
wakes, what the next receipts say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import OperationalError, transaction

from tansiq.exchange import recall, receiving
from tansiq.exchange.body import ObjectState, State, Version
from tansiq.exchange.channel import Limit
from tansiq.exchange.kinds import owner_of
from tansiq.exchange.models import InChannel, SharedObject, Statement, Waiting, WaitingFor
from tansiq.exchange.node import candidates, examining, recalls, storing
from tansiq.exchange.node.candidates import Candidate
from tansiq.exchange.node.here import Here
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Applied, Recall, Verdict
from tansiq.exchange.values import digest

MOST_VERSIONS = 1_000
"""Of one object that are parked or quarantined, and all looked at whenever one comes; more are refused (section 6)."""
LARGEST_READ_BYTES = 16 * 1024**2
"""Bodies of one transaction that are read at once."""


class DeskFailed(Exception):
    """A desk raised where it was told to keep something. The transaction is done again, each desk in a savepoint."""


class Settlement:
    """One transaction's work. Made anew for each try, within the transaction."""

    def __init__(self, here: Here, now: datetime, *, careful: bool, channels: Iterable[InChannel] = ()) -> None:
        """
        Args:
            careful: every desk's work in a savepoint of its own, so that one that raises loses nothing but its own.
            channels: rows that the caller has locked and stores together with this.
        """
        self.here, self.now, self.careful = here, now, careful
        self.channels = {channel.pk: channel for channel in channels}
        self.shared: dict[str, SharedObject] = {}
        self.changes: dict[tuple[int, str], ObjectState] = {}
        self.statements: dict[str, tuple[Candidate, Statement]] = {}
        self.writing = storing.Writing()
        self.applied: set[str] = set()
        self.proven: set[str] = set()
        self.settled: set[str] = set()
        self.newly_known: set[str] = set()
        self._waiting: dict[str, dict[str, Candidate]] = {}
        self._known: dict[str, bool] = {}
        self._needing: dict[str, set[str]] = {}
        self._counted: dict[int, receiving.Waiting] = {}  # channel -> what waits there, counted
        self._new: dict[int, receiving.Waiting] = {}  # channel -> what will wait there, not stored yet
        self._judge = here.judge(now)

    # ---- what is settled

    def take_in(self, arrived: Collection[Candidate]) -> None:
        """What has just come; its objects are loaded with it."""
        self.load({candidate.row.object for candidate in arrived})
        for candidate in arrived:
            if not candidate.row.object:
                self._put_aside(candidate)
                continue
            self._waiting.setdefault(candidate.row.object, {})[candidate.item.key] = candidate
            self._remember_needs(candidate)
            if candidate.examined is not None and candidate.examined.proven and not candidate.is_recall:
                self._prove(candidate)

    def _put_aside(self, candidate: Candidate) -> None:
        """So malformed that it is of no object: for a person to look at, and no receipt can name it."""
        if self._has_room(candidate):
            self.writing.note(candidate, Verdict(candidate.item, State.QUARANTINED, Reason.MALFORMED.value))

    def load(self, objects: Iterable[str]) -> None:
        """What is stored of objects that are not loaded yet: three queries."""
        new = sorted(set(objects) - self._waiting.keys())
        if not new:
            return
        self._waiting |= {identifier: {} for identifier in new}
        rows = SharedObject.objects.select_for_update(of=("self",)).select_related("statement", "proven")
        without = rows.defer("statement__content", "proven__content").filter(pk__in=new).order_by("pk")
        self.shared |= {row.object: row for row in without}
        waiting = list(Waiting.objects.filter(object__in=new).exclude(state=State.REFUSED).defer("body"))
        if waiting:
            self._load_waiting(waiting)

    def _load_waiting(self, rows: list[Waiting]) -> None:
        missing = {row.channel_id for row in rows} - self.channels.keys()
        self.channels |= InChannel.objects.select_for_update().in_bulk(missing)
        lacking: dict[int, set[str]] = {}
        for waiting, what in WaitingFor.objects.filter(waiting__in=rows).values_list("waiting_id", "what"):
            lacking.setdefault(waiting, set()).add(what)
        ready = [row.pk for row in rows if row.ready]
        if sum(row.size_bytes for row in rows if row.ready) <= LARGEST_READ_BYTES:
            bodies = dict(Waiting.objects.filter(pk__in=ready).values_list("pk", "body"))
        else:
            bodies = {}
        for row in rows:
            row.channel = self.channels[row.channel_id]
            if row.pk in bodies:
                row.body = bodies[row.pk]
            candidate = Candidate.stored(row, lacking.get(row.pk, set()))
            self._waiting[row.object][candidate.item.key] = candidate
            self._remember_needs(candidate)

    def _remember_needs(self, candidate: Candidate) -> None:
        for what in candidate.lacking:
            self._needing.setdefault(what, set()).add(candidate.row.object)

    def refuse(self, row: Waiting, by: str) -> None:
        """A person decided that it will never be applied; its object is to be run."""
        self.load([row.object])
        candidate = self._waiting[row.object][candidates.item_of(row).key]
        candidate.is_refused(Reason(row.unfit or row.reason))
        candidate.row.refused_by = by

    def run(self, objects: Iterable[str]) -> None:
        """Settle these and whatever goes on because of them, as far as it is loaded; the rest is marked ``ready``."""
        queue = deque(dict.fromkeys(objects))
        self.load(queue)
        self._look_up(
            what for identifier in queue for one in self._waiting[identifier].values() for what in one.lacking
        )
        while queue:
            identifier = queue.popleft()
            self.load([identifier])
            self.settled.add(identifier)
            queue.extend(sorted(self._settle(identifier)))

    # ---- one object

    def _settle(self, identifier: str) -> set[str]:
        """Settle one object; those that may go on because of it."""
        waiting = self._waiting[identifier]
        if not waiting:
            return set()
        for candidate in waiting.values():
            self._refresh(candidate)
        woken: set[str] = set()
        while True:
            verdicts, live = receiving.settle(
                [candidate.item for candidate in waiting.values()],
                applied=self._live(identifier),
                recall=self._recall(identifier),
                lacks=lambda item: self._lacks(waiting[item.key]),
                behind_gap=lambda item: _is_behind_gap(waiting[item.key]),
            )
            if self._refuse_for_room(verdicts, waiting):
                continue
            failed = self._apply_all(identifier, verdicts, woken)
            if not failed:
                break
        self._raise_epoch(identifier, live)
        for verdict in verdicts:
            self._note(waiting, verdict)
        return woken & self._waiting.keys()

    def _refresh(self, candidate: Candidate) -> None:
        """Check again what was checked under another roster, or is to be checked again."""
        if candidate.row.examined != self.here.epoch and candidate.item.unfit is not Reason.MALFORMED:
            again = examining.examine(self.here, candidate.body, self._judge, now=self.now)
            candidate.judge(self.here, again)
            self._remember_needs(candidate)
            if again.proven and not candidate.is_recall:
                self._prove(candidate)
        if candidate.is_recall and candidate.item.unfit in (None, Reason.NOT_OWNER) and not candidate.item.refused:
            self._may_recall(candidate)

    def _may_recall(self, candidate: Candidate) -> None:
        """Whether its sender may recall that object, or may be able to once what it sent has come (section 12)."""
        if any(what == candidates.CLOCK or what.startswith(candidates.KIND) for what in candidate.lacking):
            return
        self._examined(candidate)
        about, said = recall.read(candidate.payload)
        self._settle_first(about)
        why = recalls.authority(self.here, about, said, candidate.row.channel.peer)
        lacking = {candidates.RECALLED + about} if why is Reason.REFERENCE else set()
        unfit = Reason.NOT_OWNER if why is Reason.NOT_OWNER else None
        if (lacking, unfit) != (candidate.lacking, candidate.item.unfit):
            candidate.lacking = lacking
            candidate.is_unfit(unfit)

    def _lacks(self, candidate: Candidate) -> Reason | None:
        lacking = candidate.lacking
        if not lacking:
            return None
        if candidates.CLOCK in lacking:
            return Reason.CLOCK
        if any(what.startswith(candidates.KIND) for what in lacking):
            return Reason.KIND
        blobs = {what for what in lacking if what.startswith(candidates.BLOB)}
        if not all(self._is_known(what) for what in lacking - blobs):
            return Reason.REFERENCE
        return None if all(self._is_known(what) for what in blobs) else Reason.BLOB

    def _is_known(self, what: str) -> bool:
        if what not in self._known:
            self._look_up([what])
        return self._known[what]

    def _look_up(self, what: Iterable[str]) -> None:
        """Which references and blobs are here: one query."""
        asked = set(what) - self._known.keys()
        objects = sorted(one for one in asked if owner_of(one) and not one.startswith(_NO_OBJECT))
        known = set(
            SharedObject.objects.filter(pk__in=objects, known=True).values_list("pk", flat=True) if objects else ()
        )
        for one in asked:
            is_blob = one.startswith(candidates.BLOB)
            self._known[one] = self.here.has_blob(one.removeprefix(candidates.BLOB)) if is_blob else one in known

    def _live(self, identifier: str) -> Applied | None:
        row = self.shared.get(identifier)
        if row is None or row.statement is None:
            return None
        return Applied(Version(row.statement.term, row.statement.n), row.statement.leaf, row.epoch)

    def _recall(self, identifier: str) -> Recall | None:
        row = self.shared.get(identifier)
        if row is None or (row.narrowed_term, row.narrowed_n, row.left_term, row.left_n) == (0, 0, 0, 0):
            return None
        return Recall(Version(row.narrowed_term, row.narrowed_n), Version(row.left_term, row.left_n), row.recall_epoch)

    def _refuse_for_room(self, verdicts: Iterable[Verdict], waiting: dict[str, Candidate]) -> bool:
        """Parked and quarantined ones beyond the channel's limit are refused (section 6); whether one was."""
        number = 0
        for verdict in verdicts:
            candidate = waiting[verdict.item.key]
            is_kept = verdict.state is State.REFUSED or (verdict.is_open and verdict.reason != receiving.GAP)
            number += is_kept and candidate.item.refused is not Reason.LIMIT
            if not is_kept or candidate.has_place or candidate.item.refused is Reason.LIMIT:
                continue
            if number <= MOST_VERSIONS and self._has_room(candidate):
                candidate.has_place = True
                continue
            candidate.is_refused(Reason.LIMIT)
            return True
        return False

    def _has_room(self, candidate: Candidate) -> bool:
        """By the channel's counters; where these say no, by what really waits: a gap may just have closed. Notes it."""
        channel = candidate.row.channel
        limit = self.here.limits[candidates.lane_of(channel)]
        new = self._new.setdefault(channel.pk, receiving.Waiting())
        known = self._counted.get(channel.pk) or receiving.Waiting(
            channel.waiting_bodies - channel.above_bodies, channel.waiting_bytes - channel.above_bytes
        )
        if not self._fits(limit, known, new, candidate) and channel.pk not in self._counted:
            known = self._counted[channel.pk] = receiving.Waiting(*storing.parked(channel))
        if not self._fits(limit, known, new, candidate):
            return False
        if candidate.row.pk is None:
            self._new[channel.pk] = receiving.Waiting(new.bodies + 1, new.size_bytes + candidate.row.size_bytes)
        return True

    @staticmethod
    def _fits(limit: Limit, known: receiving.Waiting, new: receiving.Waiting, candidate: Candidate) -> bool:
        return limit.has_room(
            bodies=known.bodies + new.bodies,
            size_bytes=known.size_bytes + new.size_bytes,
            adding_bytes=candidate.row.size_bytes,
        )

    # ---- applying

    def _apply_all(self, identifier: str, verdicts: Iterable[Verdict], woken: set[str]) -> bool:
        """Apply what is to be applied, in order; whether one failed, and the rest is to be settled again."""
        applied: list[Verdict] = []
        for verdict in verdicts:
            if verdict.state is not State.STORED:
                continue
            candidate = self._waiting[identifier][verdict.item.key]
            self._examined(candidate)
            if candidate.is_recall:
                woken |= self._heed(candidate)
                return False  # a recall's id occurs once: nothing else is waiting under it
            if not self._tell_desk(candidate):
                for done in applied:
                    self._note(self._waiting[identifier], done)
                return True
            self._keep(candidate)
            applied.append(verdict)
            woken |= self._now_known(identifier)
        return False

    def _tell_desk(self, candidate: Candidate) -> bool:
        """``False`` where the desk raised: the object is unfit, and what the desk did is undone.

        Raises: DeskFailed, without care; OperationalError: the database is busy, and it is nobody's fault.
        """
        kind = self.here.kinds.by_name()[candidate.row.kind]
        try:
            if not self.careful:
                kind.apply(candidate.said(), self.now)
                return True
            with transaction.atomic():
                kind.apply(candidate.said(), self.now)
        except OperationalError:
            raise
        except Exception as error:
            if not self.careful:
                raise DeskFailed from error
            candidate.is_unfit(Reason.PAYLOAD, f"the desk could not keep it: {type(error).__name__}")
            return False
        return True

    def _keep(self, candidate: Candidate) -> None:
        """It is live now."""
        identifier = candidate.row.object
        row = self._row(candidate)
        row.statement = self._statement(candidate)
        row.kind, row.epoch, row.known = candidate.row.kind, candidate.row.epoch, True
        self.writing.shared.add(identifier)
        self.applied.add(identifier)

    def _prove(self, candidate: Candidate) -> None:
        """Its owner has proven to have said it: its marking decides from now on, applied or not (section 12)."""
        blocked = self._recall(candidate.row.object)
        if blocked is not None and blocked.blocks(candidate.item.version, epoch=candidate.item.epoch):
            return  # nothing of what was recalled is kept
        row = self._row(candidate)
        if row.proven is not None and Version(row.proven.term, row.proven.n) >= candidate.item.version:
            return
        row.proven = self._statement(candidate)
        self.writing.shared.add(candidate.row.object)
        self.proven.add(candidate.row.object)

    def _row(self, candidate: Candidate) -> SharedObject:
        identifier = candidate.row.object
        if identifier not in self.shared:
            self.shared[identifier] = SharedObject(
                object=identifier, kind=candidate.row.kind, owner=owner_of(identifier)
            )
        return self.shared[identifier]

    def _statement(self, candidate: Candidate) -> Statement:
        """Of one version, signature and set of markings one row; stored later."""
        row = candidate.row
        key = f"{row.object} {row.term}.{row.n} {row.leaf} {digest(row.marking_text.encode())}"
        if key not in self.statements:
            made = storing.statement_of(candidate, row.channel.peer, self.now)
            self.statements[key] = (candidate, made)
        return self.statements[key][1]

    def _raise_epoch(self, identifier: str, live: Applied | None) -> None:
        """The same version was addressed here under a later roster (section 12)."""
        row = self.shared.get(identifier)
        if live is None or row is None or row.statement is None or row.epoch >= live.epoch:
            return
        if Version(row.statement.term, row.statement.n) == live.version:
            row.epoch = live.epoch
            self.writing.shared.add(identifier)

    def _heed(self, candidate: Candidate) -> set[str]:
        """A recall that counts: what it names goes, and is settled anew."""
        about, said = recall.read(candidate.payload)
        self.store()
        row = candidate.row
        candidate.reason = recalls.heed(
            self.here, about, said, recall_id=row.object, came_from=row.channel.peer, now=self.now
        )
        self._reload(about)
        return {about, *self._now_known(about)}

    def _settle_first(self, about: str) -> None:
        """What has just come of an object has to be stored before anybody asks who sent it. Not a recall's own: that
        one recalls another is no reason to follow them without end."""
        waiting = self._waiting.get(about, {})
        if waiting and not any(candidate.is_recall for candidate in waiting.values()):
            self._settle(about)
        if about in self._waiting:
            self.store()

    def _reload(self, identifier: str) -> None:
        """What is loaded of an object is not what is stored any more. What has just come of it is kept."""
        self.shared.pop(identifier, None)
        unsettled = {
            key: candidate for key, candidate in self._waiting.pop(identifier, {}).items() if candidate.row.pk is None
        }
        self.load([identifier])
        self._waiting[identifier] |= unsettled

    def _now_known(self, identifier: str) -> set[str]:
        """References to it are satisfied; the loaded objects that waited for it."""
        if self._known.get(identifier):
            return set()
        self._known[identifier] = True
        self.newly_known.add(identifier)
        return self._needing.pop(identifier, set())

    def _examined(self, candidate: Candidate) -> None:
        """Have the envelope of a row of before."""
        if candidate.examined is None:
            candidate.read()

    # ---- what is said and stored

    def _note(self, waiting: dict[str, Candidate], verdict: Verdict) -> None:
        """What the next receipt says of it, and what stays of it here."""
        candidate = waiting.get(verdict.item.key)
        if candidate is None:
            return
        self._say(candidate, verdict)
        if not verdict.is_open:
            del waiting[verdict.item.key]
        self.writing.note(candidate, verdict)

    def missing(self, candidate: Candidate) -> set[str]:
        """What it lacks still."""
        return {what for what in candidate.lacking if not self._is_known(what)}

    def _say(self, candidate: Candidate, verdict: Verdict) -> None:
        if verdict.reason == receiving.GAP:
            return
        state, reason = verdict.state, verdict.reason
        if candidate.is_recall and state is State.STORED:  # that it was obeyed is what its sender asks
            state, reason = State.RECALLED, candidate.reason
        said = ObjectState(object=candidate.row.object, version=candidate.item.version, state=state, reason=reason)
        self.changes.pop((candidate.row.channel_id, said.object), None)
        self.changes[candidate.row.channel_id, said.object] = said

    def store(self) -> None:
        """Write everything that was decided; can be called again after more was."""
        self._new.clear()
        self._counted.clear()
        storing.store(self)


_NO_OBJECT = (candidates.KIND, candidates.BLOB, candidates.RECALLED)


def _is_behind_gap(candidate: Candidate) -> bool:
    channel = candidate.row.channel
    return not channel.closed and candidate.row.seq > channel.through
