"""Everything that one transaction settles: loaded in a few queries, decided in memory, stored in a few queries.

``receiving.settle`` decides about one object; here is what follows: what is applied, what that wakes, what the next
receipts say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import OperationalError, transaction

from tansiq.exchange import recall, receiving
from tansiq.exchange.body import ObjectState, State, Version
from tansiq.exchange.models import InChannel, Statement, Waiting
from tansiq.exchange.node import candidates, examining, recalls, storing
from tansiq.exchange.node.candidates import Candidate
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.loaded import Loaded, Needs
from tansiq.exchange.node.rooms import Rooms
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Applied, Verdict
from tansiq.exchange.values import digest

MOST_VERSIONS = 1_000
"""Of one object that are parked or quarantined, and all looked at whenever one comes; more are refused (section 6)."""
NO_SAY = "its sender may not recall it"
"""Detail of a recall that is quarantined for it; once its sender has sent the object, it may be able to."""


class DeskFailed(Exception):
    """A desk raised where it was told to keep something. The transaction is done again, each desk in a savepoint."""


class Settlement:
    """One transaction's work. Made anew for each try, within the transaction.

    Attributes:
        changes: (key of a channel, object) -> what the next receipt says of it, in the order in which it was said.
        statements: by what makes one unique; not stored yet.
        applied, proven, newly_known: objects, since the last time that it was stored.
        settled: all objects.
    """

    def __init__(self, here: Here, now: datetime, *, careful: bool, channels: Iterable[InChannel] = ()) -> None:
        """
        Args:
            careful: every desk's work in a savepoint of its own, so that one that raises loses nothing but its own.
            channels: rows that the caller has locked and stores together with this.
        """
        self.here, self.now, self.careful = here, now, careful
        self.loaded, self.needs, self.rooms = Loaded(channels), Needs(here), Rooms(here.limits)
        self.writing = storing.Writing()
        self.changes: dict[tuple[int, str], ObjectState] = {}
        self.statements: dict[str, tuple[Candidate, Statement]] = {}
        self.applied: set[str] = set()
        self.proven: set[str] = set()
        self.newly_known: set[str] = set()
        self.settled: set[str] = set()
        self._queue: deque[str] = deque()
        self._judge = here.judge(now)

    # ---- what is settled

    def take_in(self, arrived: Collection[Candidate]) -> None:
        """What has just come; its objects are loaded with it."""
        self._load({candidate.row.object for candidate in arrived})
        for candidate in arrived:
            if not candidate.row.object:
                self._put_aside(candidate)
                continue
            self.loaded.waiting[candidate.row.object][candidate.item.key] = candidate
            self.needs.remember(candidate)
            if candidate.examined is not None and candidate.examined.proven and not candidate.is_recall:
                self._prove(candidate)

    def _put_aside(self, candidate: Candidate) -> None:
        """So malformed that it is of no object: for a person to look at, and no receipt can name it."""
        if self.rooms.take(candidate):
            self.writing.note(candidate, Verdict(candidate.item, State.QUARANTINED, Reason.MALFORMED.value))

    def _load(self, objects: Iterable[str]) -> None:
        for candidate in self.loaded.load(objects):
            self.needs.remember(candidate)

    def refuse(self, row: Waiting, by: str) -> None:
        """A person decided that it will never be applied; its object is to be run."""
        self._load([row.object])
        candidate = self.loaded.waiting[row.object][candidates.item_of(row).key]
        candidate.is_refused(Reason(row.unfit or row.reason))
        candidate.row.refused_by = by

    def run(self, objects: Iterable[str]) -> None:
        """Settle these and whatever goes on because of them, as far as it is loaded; the rest is marked ``ready``."""
        queue = self._queue = deque(dict.fromkeys(objects))
        self._load(queue)
        waiting = self.loaded.waiting
        self.needs.look_up(what for identifier in queue for one in waiting[identifier].values() for what in one.lacking)
        while queue:
            identifier = queue.popleft()
            self._load([identifier])
            self._settle(identifier)

    # ---- one object

    def _settle(self, identifier: str) -> None:
        """Settle one object, and put those into the queue that may go on because of it."""
        self.settled.add(identifier)
        waiting = self.loaded.waiting[identifier]
        if not waiting:
            return
        for candidate in list(waiting.values()):
            self._refresh(candidate)
        woken: set[str] = set()
        while True:
            verdicts, live = receiving.settle(
                [candidate.item for candidate in waiting.values()],
                applied=self.loaded.live(identifier),
                recall=self.loaded.recall(identifier),
                lacks=lambda item: self.needs.lack(waiting[item.key]),
                behind_gap=lambda item: _is_behind_gap(waiting[item.key]),
            )
            if self._refuse_for_room(verdicts, waiting):
                continue
            if self._apply_all(identifier, verdicts, woken):
                break
        self._raise_epoch(identifier, live)
        for verdict in verdicts:
            self._note(waiting, verdict)
        self._queue.extend(sorted(woken & self.loaded.waiting.keys()))

    def _refresh(self, candidate: Candidate) -> None:
        """Check again what was checked under another roster, or is to be checked again."""
        if candidate.row.examined != self.here.epoch and candidate.item.unfit is not Reason.MALFORMED:
            again = examining.examine(self.here, candidate.body, self._judge, now=self.now)
            candidate.judge(self.here, again)
            self.needs.remember(candidate)
            if again.proven and not candidate.is_recall:
                self._prove(candidate)
        is_fit = candidate.item.unfit is None or candidate.row.detail == NO_SAY
        if candidate.is_recall and is_fit and not candidate.item.refused:
            self._may_recall(candidate)

    def _refuse_for_room(self, verdicts: Collection[Verdict], waiting: dict[str, Candidate]) -> bool:
        """Parked and quarantined ones beyond the channel's limit are refused (section 6); whether any was.

        What waits behind one that is refused may be fit, and is looked at again.
        """
        beyond: list[Verdict] = []
        number = 0
        for verdict in verdicts:
            candidate = waiting[verdict.item.key]
            is_kept = verdict.state is State.REFUSED or (verdict.is_open and verdict.reason != receiving.GAP)
            if not is_kept or candidate.item.refused is Reason.LIMIT:
                continue
            number += 1
            if candidate.has_place:
                continue
            candidate.has_place = number <= MOST_VERSIONS and self.rooms.take(candidate)
            if not candidate.has_place:
                beyond.append(verdict)
        first = [verdict for verdict in beyond if verdict.reason != Reason.ORDER]
        for verdict in first or beyond:
            waiting[verdict.item.key].is_refused(Reason.LIMIT)
        return bool(beyond)

    # ---- applying

    def _apply_all(self, identifier: str, verdicts: Iterable[Verdict], woken: set[str]) -> bool:
        """Apply what is to be applied, in order. ``False``: one failed, and the rest is to be settled again."""
        waiting = self.loaded.waiting[identifier]
        applied: list[Verdict] = []
        for verdict in verdicts:
            if verdict.state is not State.STORED:
                continue
            candidate = waiting[verdict.item.key]
            candidate.read()
            if candidate.is_recall:
                woken |= self._heed(candidate)
                return True  # a recall's id occurs once: nothing else is waiting under it
            if not self._tell_desk(candidate):
                for done in applied:
                    self._note(waiting, done)
                return False
            self._keep(candidate)
            applied.append(verdict)
            woken |= self._now_known(identifier)
        return True

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
        row = self.loaded.row(identifier, candidate.row.kind)
        row.statement = self._statement(candidate)
        row.kind, row.epoch, row.known = candidate.row.kind, candidate.row.epoch, True
        self.writing.shared.add(identifier)
        self.applied.add(identifier)

    def _prove(self, candidate: Candidate) -> None:
        """Its owner has proven to have said it: its marking decides from now on, applied or not (section 12)."""
        identifier, version = candidate.row.object, candidate.item.version
        blocked = self.loaded.recall(identifier)
        if blocked is not None and blocked.blocks(version, epoch=candidate.item.epoch):
            return  # nothing of what was recalled is kept
        row = self.loaded.row(identifier, candidate.row.kind)
        if row.proven is not None and Version(row.proven.term, row.proven.n) >= version:
            return
        row.proven = self._statement(candidate)
        self.writing.shared.add(identifier)
        self.proven.add(identifier)

    def _statement(self, candidate: Candidate) -> Statement:
        """Of one version, text and set of markings one row; stored later."""
        row = candidate.row
        key = f"{row.object} {row.term}.{row.n} {row.leaf} {digest(row.marking_text.encode())}"
        if key not in self.statements:
            self.statements[key] = (candidate, storing.statement_of(candidate, row.channel.peer, self.now))
        return self.statements[key][1]

    def _raise_epoch(self, identifier: str, live: Applied | None) -> None:
        """The same version was addressed here under a later roster (section 12)."""
        row = self.loaded.shared.get(identifier)
        if live is None or row is None or row.statement is None or row.epoch >= live.epoch:
            return
        if Version(row.statement.term, row.statement.n) == live.version:
            row.epoch = live.epoch
            self.writing.shared.add(identifier)

    def _now_known(self, identifier: str) -> set[str]:
        """References to it are satisfied; the loaded objects that waited for it."""
        woken = self.needs.now_known(identifier)
        if woken is not None:
            self.newly_known.add(identifier)
        return woken or set()

    # ---- recalls

    def _may_recall(self, candidate: Candidate) -> None:
        """Whether its sender may recall that object, or may be able to once what it sent has come (section 12)."""
        if any(what == candidates.CLOCK or what.startswith(candidates.KIND) for what in candidate.lacking):
            return
        candidate.read()
        about, said = recall.read(candidate.payload)
        self._settle_first(about)
        why = recalls.authority(self.here, about, said, candidate.row.channel.peer)
        lacking = {candidates.RECALLED + about} if why is Reason.REFERENCE else set()
        unfit = Reason.NOT_OWNER if why is Reason.NOT_OWNER else None
        if (lacking, unfit) != (candidate.lacking, candidate.item.unfit):
            candidate.lacking = lacking
            candidate.is_unfit(unfit, NO_SAY if unfit else "")

    def _settle_first(self, about: str) -> None:
        """What has just come of an object has to be stored before anybody asks who sent it. Not a recall's own: that
        one recalls another is no reason to follow them without end."""
        waiting = self.loaded.waiting.get(about, {})
        if waiting and not any(candidate.is_recall for candidate in waiting.values()):
            self._settle(about)
        if about in self.loaded.waiting:
            self.store()

    def _heed(self, candidate: Candidate) -> set[str]:
        """A recall that counts: what it names goes, and is settled anew."""
        about, said = recall.read(candidate.payload)
        if about in self.loaded.waiting or self.writing.counts:
            self.store()  # what is deleted is counted on the channels, as they are stored
        row = candidate.row
        reason = recalls.heed(self.here, about, said, recall_id=row.object, came_from=row.channel.peer, now=self.now)
        for copy in self.loaded.waiting[row.object].values():  # the same again, on a later incarnation
            copy.reason = reason
        for one in self.loaded.reload(about):
            self.needs.remember(one)
        return {about, *self._now_known(about)}

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

    def _say(self, candidate: Candidate, verdict: Verdict) -> None:
        if verdict.reason == receiving.GAP:
            return
        state, reason = verdict.state, verdict.reason
        if candidate.is_recall and state in (State.STORED, State.HAD):  # that it was obeyed is what its sender asks
            state, reason = State.RECALLED, candidate.reason
        said = ObjectState(object=candidate.row.object, version=candidate.item.version, state=state, reason=reason)
        self.changes.pop((candidate.row.channel_id, said.object), None)
        self.changes[candidate.row.channel_id, said.object] = said

    def store(self) -> None:
        """Write everything that was decided; can be called again after more was."""
        self.rooms.clear()
        storing.store(self)


def _is_behind_gap(candidate: Candidate) -> bool:
    channel = candidate.row.channel
    return not channel.closed and candidate.row.seq > channel.through
