"""A node of a federation in memory: the engine's decisions, stored in dictionaries instead of a database.

Each method is one transaction: what it decides is stored before anything that it returns leaves the node. Bodies are
real and chained by their digests; seals and author signatures are left out here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from tansiq.exchange import compare, held, receipts, receiving, sending
from tansiq.exchange.body import (
    MOST_GAPS,
    MOST_OBJECTS,
    Author,
    Body,
    Channel,
    Envelope,
    Lane,
    ObjectState,
    Placed,
    Receipt,
    Skip,
    State,
    Version,
)
from tansiq.exchange.channel import Cursor, Kept, Limit, Span
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receipts import NOTHING, Alarm, Holding, Ledger
from tansiq.exchange.receiving import Applied, Cause, Item, Numbering, Place, Recall, Waiting
from tansiq.exchange.sending import Backlog, Entry, Outgoing, Room, Row, Way
from tansiq.exchange.values import digest

REALM = "live"
RECALL = "recall"
LANES = {
    "alert": Lane.URGENT,
    RECALL: Lane.URGENT,
    "case.note": Lane.NORMAL,
    "event": Lane.BULK,
    "new.kind": Lane.NORMAL,
}
SELF_CONTAINED = {"alert", RECALL}
POISON = "poison"
FORGED = "forged"


@dataclass(frozen=True)
class Fact:
    """A version of an object: whose, for whom, what it says, what it refers to."""

    object: str
    version: Version
    kind: str
    audience: frozenset[str]
    text: str
    needs: str = ""

    @property
    def owner(self) -> str:
        return self.object.split(":")[0]

    @property
    def leaf(self) -> str:
        return digest(repr((self.object, self.version, sorted(self.audience), self.text)).encode())

    @property
    def payload(self) -> str:
        return json.dumps([self.text, self.needs])


@dataclass(frozen=True)
class Live:
    fact: Fact
    epoch: int


@dataclass(frozen=True)
class Roster:
    epoch: int
    members: frozenset[str]
    former: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Ask:
    """For the roster, or for a receipt with the changes after a number."""

    epoch: int = 0
    channel: Channel | None = None
    since: int = 0


@dataclass(frozen=True)
class Letter:
    sender: str
    recipient: str
    content: Body | Roster | Ask | held.Request | held.Answer
    way: Way = Way.JETSTREAM

    @property
    def size_bytes(self) -> int:
        if isinstance(self.content, Body):
            return len(self.content.written())
        return len(repr(self.content))


@dataclass
class Out:
    """The sender's end of a channel."""

    outgoing: Outgoing
    rows: list[tuple[Row, Fact | Recalling]] = field(default_factory=list)
    entries: dict[int, Entry] = field(default_factory=dict)
    carried: dict[int, Fact | Recalling] = field(default_factory=dict)
    belief: Holding = NOTHING
    heard_at: datetime | None = None
    former: set[str] = field(default_factory=set)
    states: dict[str, ObjectState] = field(default_factory=dict)


@dataclass(frozen=True)
class Recalling:
    object: str
    recall: Recall


@dataclass
class In:
    """The recipient's end of one incarnation of a channel."""

    cursor: Cursor = field(default_factory=Cursor)
    kept: Kept = field(default_factory=Kept)
    ledger: Ledger = field(default_factory=Ledger)
    changes: dict[str, tuple[int, ObjectState]] = field(default_factory=dict)


@dataclass(frozen=True)
class Stored:
    item: Item
    envelope: Envelope


class Node:
    """See the module. ``clock`` says the time here; ``mint`` numbers incarnations so that a run can be repeated."""

    def __init__(self, code: str, roster: Roster, limits: dict[Lane, Limit], window: int) -> None:
        self.code, self.roster, self.limits, self.window = code, roster, limits, window
        self.machine = 1
        self.minted = 0
        self.objects: dict[str, Live] = {}
        self.recalls: dict[str, Recall] = {}
        self.sent_to: dict[str, set[str]] = {}
        self.recalled_from: dict[tuple[str, str], Recall] = {}
        self.forwards: set[tuple[str, str]] = set()
        self.outs: dict[tuple[str, Lane], Out] = {}
        self.ins: dict[tuple[str, Lane], dict[str, In]] = {}
        self.begun: dict[tuple[str, Lane], dict[str, datetime]] = {}
        self.waiting: dict[str, dict[str, Stored]] = {}
        self.parked: dict[str, Letter] = {}
        self.known_of: set[str] = set()
        self.kinds = set(LANES) - {"new.kind"}
        self.log: list[tuple[str, str, Version]] = []
        self.evidence: list[str] = []
        self.alarms: list[str] = []
        self.held: held.Held | None = None
        self.incomplete: set[str] = set()
        self.raise_terms = False
        self.raised: set[str] = set()
        self.floors: dict[tuple[str, Lane], held.Stand] = {}
        self.frozen: set[str] = set()
        self.refused: dict[tuple[str, Version], Live] = {}
        self.proven: dict[str, Fact] = {}
        self.asked_back: dict[str, held.Held] = {}

    # ---- what people do

    def publish(
        self, name: str, *, audience: Iterable[str], text: str, kind: str = "case.note", needs: str = ""
    ) -> Fact:
        """A new version of an own object, and the outbox rows and recalls that follow, in one transaction."""
        identifier = f"{self.code}:{name}"
        before = self.objects.get(identifier)
        known = max(before.fact.version if before else Version(1, 0), self._recall(identifier).narrowed)
        version = Version(known.term, known.n + 1)
        if self.raise_terms and identifier not in self.raised:
            version = held.raised(known)
            self.raised.add(identifier)
        fact = Fact(
            identifier, version, before.fact.kind if before else kind, frozenset(audience) - {self.code}, text, needs
        )
        self.objects[identifier] = Live(fact, self.roster.epoch)
        self.known_of.add(identifier)
        for peer in sorted(fact.audience & self.roster.members):
            self._enqueue(peer, fact)
        for peer in sorted(self.sent_to.get(identifier, set()) - fact.audience):
            self._recall_from(peer, identifier, Recall.of(version, cause=Cause.MARKING, epoch=self.roster.epoch))
        return fact

    def forward(self, identifier: str, peer: str) -> None:
        """Send another's object on to somebody who may have it."""
        live = self.objects.get(identifier)
        if (
            live
            and live.fact.owner != self.code
            and peer in self._audience(live.fact) & self.roster.members - {live.fact.owner}
        ):
            self.forwards.add((identifier, peer))
            self._enqueue(peer, live.fact)

    def refuse(self, now: datetime, *, also: frozenset[Reason] = frozenset()) -> None:
        """A person looks through what is quarantined, or parked for one of ``also``, and refuses all of it for good."""
        for identifier, stored in list(self.waiting.items()):
            for key, one in list(stored.items()):
                reason = one.item.unfit or self._lacks(one.item)
                if one.item.unfit is not None or reason in also:
                    stored[key] = replace(one, item=replace(one.item, refused=reason))
            self._settle(identifier, now)

    def learn_kinds(self, now: datetime) -> None:
        self.kinds = set(LANES)
        self._settle_all(now)

    def on_roster(self, roster: Roster, now: datetime) -> list[Letter]:
        """A later roster: what it newly allows is sent, what it no longer allows is recalled (section 12)."""
        if roster.epoch <= self.roster.epoch:
            return []
        before, self.roster = self.roster, roster
        for identifier, live in sorted(self.objects.items()):
            if live.fact.owner != self.code:
                self._review_forwards(identifier)
                continue
            for peer in sorted((roster.members - before.members) & live.fact.audience):
                self._enqueue(peer, live.fact)
            for peer in sorted((before.members - roster.members) & self.sent_to.get(identifier, set())):
                self._recall_from(
                    peer, identifier, Recall.of(live.fact.version, cause=Cause.ROSTER, epoch=roster.epoch)
                )
        self._meet(before, roster, now)
        if self.held:
            waiting_for = (self.held.waiting_for | (roster.members - before.members)) & roster.members - {self.code}
            self.held = replace(self.held, waiting_for=waiting_for)
            self._maybe_release(now)
        released = [letter for key, letter in self.parked.items() if self._parks(letter, now) is None]
        return [reply for letter in released for reply in self.receive(letter, now)]

    def _meet(self, before: Roster, roster: Roster, now: datetime) -> None:
        """Either may have been restored while the other was no member: ask back, and compare both ways (section 12)."""
        added = roster.members - before.members
        met = (roster.members if self.code in added else added) - {self.code}
        self.incomplete |= met
        self.asked_back = {peer: asking for peer, asking in self.asked_back.items() if peer in roster.members}
        if not self.held:
            for peer in met:
                self.ask_back(peer, now)

    # ---- a restore

    def restore(self, now: datetime, machine: int) -> None:
        """This state is an old backup: held until the peers have answered (section 11.1)."""
        self.machine = machine
        self.raise_terms, self.raised = True, set()
        self.held = held.Held(now, self.roster.members - {self.code})
        self.asked_back.clear()
        self.outs = {
            where: Out(Outgoing(""), former={*out.former, out.outgoing.incarnation}) for where, out in self.outs.items()
        }
        self._maybe_release(now)

    def on_answer(self, peer: str, answer: held.Answer, now: datetime) -> list[Letter]:
        if self.held is None:
            return self._on_asked_back(peer, answer)
        if answer.since != self.held.since or peer not in self.held.waiting_for:
            return []
        for returned in answer.objects:
            self._recover(peer, _fact(_envelope(returned.envelope)))
        for identifier, recall in answer.recalls.items():
            self._recover_recall(peer, identifier, recall)
        for stand in answer.stands:
            self._renumber(peer, stand)
        self.held, following = held.on_answer(self.held, peer, answer)
        self._maybe_release(now)
        return [Letter(self.code, peer, following)] if following else []

    def _on_asked_back(self, peer: str, answer: held.Answer) -> list[Letter]:
        """What a comparison showed a peer to have otherwise: own objects that a former life of this node sent it."""
        asking = self.asked_back.get(peer)
        if asking is None or answer.since != asking.since:
            return []
        before = dict(self.objects)
        for returned in answer.objects:
            self._recover(peer, _fact(_envelope(returned.envelope)))
        for identifier, recall in answer.recalls.items():
            self._recover_recall(peer, identifier, recall)
        if self.objects != before:
            self.incomplete |= self.roster.members - {self.code}
        self.asked_back[peer], following = held.on_answer(asking, peer, answer)
        if self.asked_back[peer].is_released:
            del self.asked_back[peer]
        return [Letter(self.code, peer, following)] if following else []

    def _recover(self, peer: str, fact: Fact) -> None:
        self.sent_to.setdefault(fact.object, set()).add(peer)
        mine = self.objects.get(fact.object)
        if mine is None or mine.fact.version < fact.version:
            self.sent_to[fact.object] |= fact.audience
            if fact.version < self._recall(fact.object).narrowed:  # as in ``_recover_recall``
                fact = replace(fact, audience=frozenset())
            self.objects[fact.object] = Live(fact, self.roster.epoch)
            self.known_of.add(fact.object)

    def _recover_recall(self, peer: str, identifier: str, recall: Recall) -> None:
        self.recalls[identifier] = self._recall(identifier).joined(recall)
        mine = self.objects.get(identifier)
        if mine is None:
            return
        if mine.fact.owner != self.code:
            self._delete_recalled(identifier)
        elif mine.fact.version < recall.narrowed:  # its later marking is lost: nobody but the origin until it is set
            self.objects[identifier] = replace(mine, fact=replace(mine.fact, audience=frozenset()))

    def _renumber(self, peer: str, stand: held.Stand) -> None:
        out = self._out(peer, stand.lane)
        out.former.add(stand.incarnation)
        known = [incarnation for incarnation in out.former if incarnation]
        if out.outgoing.incarnation and out.outgoing.incarnation < max(known, default=""):
            self.outs[peer, stand.lane] = Out(Outgoing(""), former=out.former)
        self.floors[peer, stand.lane] = stand
        for one in self.ins.get((peer, stand.lane), {}).values():
            one.ledger = replace(held.renumbered(one.ledger, stand), unsaid=True)

    def _maybe_release(self, now: datetime) -> None:
        if self.held and self.held.is_released:
            self.held = None
            self.incomplete |= self.roster.members - {self.code}
            for identifier, live in self.objects.items():
                if live.fact.owner == self.code:
                    self.sent_to.setdefault(identifier, set()).update(live.fact.audience)
            for identifier in list(self.objects):
                self._delete_recalled(identifier)
            self._settle_all(now)

    def on_request(self, peer: str, request: held.Request) -> list[Letter]:
        """Answer a restored peer; what is between the two is to be compared afterwards."""
        if peer not in self.roster.members:
            return []
        self.incomplete.add(peer)
        objects = {
            fact.object: held.Returned(fact.object, fact.version, fact.leaf, self._returned(fact))
            for fact in self._latest_of(peer).values()
        }
        recalls = {
            identifier: recall for identifier, recall in self.recalls.items() if identifier.split(":")[0] == peer
        }
        recalls |= {identifier: recall for (identifier, to), recall in self.recalled_from.items() if to == peer}
        stands = []
        for lane in Lane:
            incarnation = max(self.begun.get((peer, lane), {}), key=receiving.incarnation_number, default="")
            belief = self.outs[peer, lane].belief if (peer, lane) in self.outs else NOTHING
            stands.append(held.Stand(lane, incarnation, belief.n, belief.changes))
        return [Letter(self.code, peer, held.page(objects, recalls, stands, request, size=3))]

    def _returned(self, fact: Fact) -> bytes:
        channel = Channel(REALM, self.code, fact.owner, Lane.NORMAL, "1-aaaaaaaaaaaaaaaa")
        return self._envelope(fact, channel, 1, "0" * 64, _EPOCH_START).written()

    # ---- sending

    def _mint(self, number: int) -> str:
        self.minted += 1
        letters = "abcdefghijklmnopqrstuvwxyz234567"
        seed = digest(f"{self.code} {self.machine} {self.minted}".encode())
        return f"{number}-" + "".join(
            letters[int(pair, 16) % 32] for pair in (seed[i : i + 2] for i in range(0, 32, 2))
        )

    def _out(self, peer: str, lane: Lane) -> Out:
        if (peer, lane) not in self.outs:
            self.outs[peer, lane] = Out(Outgoing(""))
        return self.outs[peer, lane]

    def _enqueue(self, peer: str, what: Fact | Recalling) -> None:
        if isinstance(what, Recalling):
            self.minted += 1
            row = Row(f"recall:{self.code}:{self.machine}.{self.minted}", Version(1, 1), RECALL, 100)
        else:
            row = Row(what.object, what.version, what.kind, len(what.text))
        self._out(peer, LANES[row.kind]).rows.append((row, what))

    def _recall_from(self, peer: str, identifier: str, recall: Recall) -> None:
        before = self.recalled_from.get((identifier, peer), Recall())
        self.recalled_from[identifier, peer] = before.joined(recall)
        self._enqueue(peer, Recalling(identifier, recall))

    def _audience(self, fact: Fact) -> frozenset[str]:
        """Who may have it by the latest marking that its owner has proven to have set, be it applied or not."""
        latest = self.proven.get(fact.object, fact)
        return latest.audience if fact.owner != self.code and latest.version > fact.version else fact.audience

    def _recall(self, identifier: str) -> Recall:
        return self.recalls.get(identifier, Recall())

    def _may_go(self, peer: str, what: Fact | Recalling) -> bool:
        """The decision, under the roster and the marking of this moment (section 8.3)."""
        if isinstance(what, Recalling):
            return peer in self.roster.members | self.roster.former
        live = self.objects.get(what.object)
        allowed = live is not None and peer in self._audience(live.fact) and peer in what.audience
        return allowed and peer in self.roster.members

    def tick(self, now: datetime) -> list[Letter]:
        """Everything that the node's loops do at this moment."""
        if self.held:
            return [
                Letter(self.code, peer, held.Request(self.held.since, self.held.after.get(peer, "")))
                for peer in sorted(self.held.waiting_for)
            ]
        letters = [
            Letter(self.code, peer, held.Request(asking.since, asking.after.get(peer, "")))
            for peer, asking in sorted(self.asked_back.items())
        ]
        for (peer, lane), out in self.outs.items():
            if peer in self.frozen:
                continue
            self._seal(peer, lane, out, now)
            letters += self._attempts(peer, lane, out, now)
        return letters + list(self._receipts(now))

    def _uncovered(self, out: Out) -> list[Entry]:
        return [entry for entry in out.entries.values() if entry.covered_at is None]

    def _seal(self, peer: str, lane: Lane, out: Out, now: datetime) -> None:
        while out.rows:
            row, what = out.rows[0]
            waiting = self._uncovered(out)
            backlog = Backlog(len(waiting), sum(len(entry.body or b"") for entry in waiting))
            match sending.room(lane, backlog, row, limits=self.limits):
                case Room.WAIT:
                    return
                case Room.DROP:
                    out.rows.pop(0)
                    out.outgoing = sending.drop(out.outgoing)
                    self.incomplete.add(peer)
                    continue
            out.rows.pop(0)
            if not self._may_go(peer, what):
                continue
            owed = sending.owed_skip(out.outgoing)
            if owed:
                self._store(out, owed[0])
                out.outgoing = owed[1]
            if not out.outgoing.incarnation:
                out.outgoing = replace(out.outgoing, incarnation=self._mint(held.next_number(out.former, now=now)))
            channel = Channel(REALM, self.code, peer, lane, out.outgoing.incarnation)
            body = self._envelope(what, channel, out.outgoing.given + 1, out.outgoing.hash, now, row)
            entry, out.outgoing = sending.place(out.outgoing, row, body.written(), body.digest)
            self._store(out, entry)
            out.carried[entry.span.first] = what

    def _store(self, out: Out, entry: Entry) -> None:
        out.entries[entry.span.first] = entry

    def _envelope(
        self, what: Fact | Recalling, channel: Channel, seq: int, prev: str, now: datetime, row: Row | None = None
    ) -> Envelope:
        owner = self.code if isinstance(what, Recalling) else what.owner
        forged = isinstance(what, Fact) and FORGED in what.text
        payload = (
            json.dumps([what.object, list(what.recall.narrowed), list(what.recall.left), what.recall.epoch])
            if isinstance(what, Recalling)
            else what.payload
        )
        assert row is not None or isinstance(what, Fact)
        return Envelope(
            id=f"{channel.incarnation}.{seq}",
            realm=REALM,
            sender=channel.sender,
            recipient=channel.recipient,
            epoch=self.roster.epoch,
            sent_at=now,
            lane=channel.lane,
            incarnation=channel.incarnation,
            seq=seq,
            prev=prev,
            kind=row.kind if row else what.kind,  # type: ignore[union-attr]
            schema=1,
            object=row.object if row else what.object,
            version=row.version if row else what.version,  # type: ignore[union-attr]
            marking=json.dumps([] if isinstance(what, Recalling) else sorted(what.audience)),
            payload=payload,
            author=Author(team=owner, person="", key="", marking="", epoch=1, signature=b"forged" if forged else b""),
            via=() if owner == self.code else (self.code,),
        )

    def _attempts(self, peer: str, lane: Lane, out: Out, now: datetime) -> Iterator[Letter]:
        for entry in self._uncovered(out):
            what = out.carried.get(entry.span.first)
            if what is not None and not self._may_go(peer, what):
                self._store(out, sending.decided(entry, may_go=False))
                del out.carried[entry.span.first]
        uncovered = sending.joined(self._uncovered(out))
        for first in [entry.span.first for entry in self._uncovered(out)]:
            del out.entries[first]
        out.entries |= {entry.span.first: entry for entry in uncovered}
        out.entries = dict(sorted(out.entries.items()))
        due = sending.due(
            uncovered, out.belief, lane=lane, has_mail=True, heard_at=out.heard_at, now=now, window=self.window
        )
        letters = []
        for entry, ways in due:
            body = self._body(peer, lane, out, entry, now)
            self._store(out, sending.attempted(entry, ways, now=now))
            if isinstance(body, Envelope) and body.kind != RECALL:
                self.sent_to.setdefault(body.object, set()).add(peer)
            letters += [Letter(self.code, peer, body, way) for way in sorted(ways)]
        return iter(letters)

    def _body(self, peer: str, lane: Lane, out: Out, entry: Entry, now: datetime) -> Placed:
        if entry.body is not None:
            return _envelope(entry.body)
        assert entry.skipped is not None
        span = entry.span
        return Skip(
            id="skip",
            realm=REALM,
            sender=self.code,
            recipient=peer,
            epoch=self.roster.epoch,
            sent_at=now,
            lane=lane,
            incarnation=out.outgoing.incarnation,
            seq=span.first,
            prev=span.prev,
            last=span.last,
            hash_after=span.digest,
            reason=entry.skipped,
        )

    # ---- receiving

    def receive(self, letter: Letter, now: datetime) -> list[Letter]:
        content, peer = letter.content, letter.sender
        if isinstance(content, Roster):
            return self.on_roster(content, now)
        if isinstance(content, held.Request):
            return self.on_request(peer, content)
        if isinstance(content, held.Answer):
            return self.on_answer(peer, content, now)
        if isinstance(content, Ask):
            return self._on_ask(peer, content)
        why = self._parks(letter, now)
        if why is not None:
            self.parked[content.digest] = letter
            return [Letter(self.code, peer, Ask(epoch=content.epoch))] if why is Reason.EPOCH else []
        self.parked.pop(content.digest, None)
        if self.held or peer not in self.roster.members | self.roster.former:
            return []
        if isinstance(content, Receipt):
            return self._on_receipt(peer, content, now)
        assert isinstance(content, Placed)
        if peer not in self.roster.members:
            return [Letter(self.code, peer, self.roster)]
        self._on_placed(peer, content, now)
        return [Letter(self.code, peer, self.roster)] if content.epoch < self.roster.epoch else []

    def _parks(self, letter: Letter, now: datetime) -> Reason | None:
        assert isinstance(letter.content, Body)
        if letter.content.sent_at > now + receiving.CLOCK_TOLERANCE:
            return Reason.CLOCK
        return Reason.EPOCH if letter.content.epoch > self.roster.epoch else None

    def unpark(self, now: datetime) -> list[Letter]:
        """The clock moved: try again what was parked as a whole."""
        ready = [letter for letter in self.parked.values() if self._parks(letter, now) is None]
        return [reply for letter in ready for reply in self.receive(letter, now)]

    def _on_ask(self, peer: str, ask: Ask) -> list[Letter]:
        if ask.channel is None:
            return [Letter(self.code, peer, self.roster)] if self.roster.epoch >= ask.epoch else []
        one = self.ins.get((peer, ask.channel.lane), {}).get(ask.channel.incarnation)
        if one:
            one.ledger = receipts.on_asked(one.ledger, since=ask.since)
        return []

    def _on_placed(self, peer: str, body: Placed, now: datetime) -> None:
        where = (peer, body.lane)
        begun = self.begun.setdefault(where, {})
        which = receiving.numbering(begun, body.incarnation, sent_at=body.sent_at)
        if which is Numbering.CLONE:
            return self._freeze(peer, f"{body.incarnation} beside {sorted(begun)}")
        if which is Numbering.SUSPECT:
            self.alarms.append(f"{peer} speaks on {body.incarnation}")
        channels = self.ins.setdefault(where, {})
        if body.incarnation not in channels:
            floor = self.floors.get(where)
            ledger = Ledger() if floor is None else held.renumbered(Ledger(), floor)
            channels[body.incarnation] = In(
                Cursor(closed=which not in (Numbering.NEWER, Numbering.CURRENT)), ledger=ledger
            )
        begun[body.incarnation] = min(begun.get(body.incarnation, body.sent_at), body.sent_at)
        if which is Numbering.NEWER:
            for incarnation, former in channels.items():
                if incarnation != body.incarnation:
                    former.cursor = replace(former.cursor, closed=True)
        self._take(peer, channels[body.incarnation], body, now)
        if which is Numbering.NEWER:
            self._settle_all(now)
        return None

    def _freeze(self, peer: str, why: str) -> None:
        self.frozen.add(peer)
        self.evidence.append(why)

    def _take(self, peer: str, one: In, body: Placed, now: datetime) -> None:
        above = [
            stored
            for stored in self._stored()
            if stored.envelope.channel == body.channel and stored.envelope.seq > one.cursor.through
        ]
        span = Span.of(body)
        taken = receiving.take(
            one.cursor,
            one.kept,
            span,
            is_skip=isinstance(body, Skip),
            above_gap=Waiting(len(above), 0),
            limit=self.limits[body.lane],
        )
        if taken.place is Place.FROZEN:
            one.cursor = taken.cursor
            return self._freeze(peer, f"{body.channel} {taken.contradicts}")
        if taken.place is Place.FULL:
            return None
        one.ledger = replace(one.ledger, unsaid=True)
        if taken.place is not Place.NEW:
            return None
        moved = taken.cursor.through > one.cursor.through
        one.cursor = taken.cursor
        one.kept.add(span)
        if isinstance(body, Envelope):
            item = self._item(body)
            self.waiting.setdefault(item.object, {})[item.key] = Stored(item, body)
            if item.unfit in (None, Reason.PAYLOAD) and body.kind != RECALL:
                self.proven[item.object] = max(
                    self.proven.get(item.object, _fact(body)), _fact(body), key=lambda fact: fact.version
                )
                self._review_forwards(item.object)
            self._settle(item.object, now)
        if moved:
            for identifier in {stored.item.object for stored in above}:
                self._settle(identifier, now)
        return None

    def _stored(self) -> Iterator[Stored]:
        return (stored for by_key in self.waiting.values() for stored in by_key.values())

    def _item(self, body: Envelope) -> Item:
        """What checks 5.11 to 5.19 say, without their cryptography."""
        unfit: Reason | None = None
        refused: Reason | None = None
        if body.author.signature == b"forged":
            unfit = Reason.SIGNATURE
        elif POISON in body.payload:
            unfit = Reason.PAYLOAD
        if body.kind != RECALL and self.code not in json.loads(body.marking):
            refused = Reason.NOT_ENTITLED
        key = f"{body.incarnation} {body.sender} {body.seq}"
        leaf = digest(body.payload.encode()) if body.kind == RECALL else _fact(body).leaf
        return Item(key, body.object, body.version, leaf, body.epoch, body.kind in SELF_CONTAINED, unfit, refused)

    def _lacks(self, item: Item) -> Reason | None:
        envelope = self.waiting[item.object][item.key].envelope
        if envelope.kind not in self.kinds:
            return Reason.KIND
        if envelope.kind != RECALL:
            needs = json.loads(envelope.payload)[1]
            if needs and needs not in self.known_of:
                return Reason.REFERENCE
        return None

    def _behind_gap(self, item: Item) -> bool:
        envelope = self.waiting[item.object][item.key].envelope
        cursor = self.ins[envelope.sender, envelope.lane][envelope.incarnation].cursor
        return not cursor.closed and envelope.seq > cursor.through

    def _awaits_gap(self, item: Item) -> bool:
        return item.unfit is None and not item.self_contained and self._behind_gap(item)

    def _settle_all(self, now: datetime) -> None:
        for identifier in list(self.waiting):
            self._settle(identifier, now)

    def _settle(self, identifier: str, now: datetime) -> None:
        stored = self.waiting.get(identifier, {})
        live = self.objects.get(identifier)
        verdicts, applied = receiving.settle(
            [one.item for one in stored.values()],
            applied=Applied(live.fact.version, live.fact.leaf, live.epoch) if live else None,
            recall=self.recalls.get(identifier),
            lacks=self._lacks,
            behind_gap=self._behind_gap,
        )
        if live and applied and applied.version == live.fact.version:
            self.objects[identifier] = replace(live, epoch=applied.epoch)
        woken: set[str] = set()
        for verdict in verdicts:
            envelope = stored[verdict.item.key].envelope
            if verdict.state is State.REFUSED:
                self.refused[envelope.object, envelope.version] = Live(_fact(envelope), envelope.epoch)
            if verdict.state is State.STORED:
                woken |= self._apply(envelope)
            self._say(envelope, verdict)
            if not verdict.is_open:
                del stored[verdict.item.key]
        if not stored:
            self.waiting.pop(identifier, None)
        for other in sorted(woken):
            self._settle(other, now)

    def _say(self, envelope: Envelope, verdict: receiving.Verdict) -> None:
        if verdict.reason == receiving.GAP:
            return
        one = self.ins[envelope.sender, envelope.lane][envelope.incarnation]
        state, reason = verdict.state, verdict.reason
        if envelope.kind == RECALL and state is State.STORED:  # that it was obeyed is what its sender asks
            state, reason = State.RECALLED, receiving.DELETED
        said = ObjectState(object=envelope.object, version=envelope.version, state=state, reason=reason)
        before = one.changes.get(envelope.object)
        if before is None or before[1] != said:
            one.ledger = replace(one.ledger, changes=one.ledger.changes + 1, unsaid=True)
            one.changes[envelope.object] = (one.ledger.changes, said)

    def _apply(self, envelope: Envelope) -> set[str]:
        """Apply one envelope; the objects that may go on because of it."""
        if envelope.kind == RECALL:
            identifier, narrowed, left, epoch = json.loads(envelope.payload)
            recall = Recall(Version(*narrowed), Version(*left), epoch)
            self.recalls[identifier] = self._recall(identifier).joined(recall)
            self.known_of.add(identifier)
            self._delete_recalled(identifier)
            return {identifier, *self._needing(identifier)} & set(self.waiting)
        self.objects[envelope.object] = Live(_fact(envelope), envelope.epoch)
        self.known_of.add(envelope.object)
        self.log.append(("applied", envelope.object, envelope.version))
        self._review_forwards(envelope.object)
        for forwarded, peer in sorted(self.forwards):
            if forwarded == envelope.object:
                self._enqueue(peer, _fact(envelope))
        return self._needing(envelope.object) & set(self.waiting)

    def _needing(self, identifier: str) -> set[str]:
        return {
            stored.item.object
            for stored in self._stored()
            if stored.envelope.kind != RECALL and json.loads(stored.envelope.payload)[1] == identifier
        }

    def _delete_recalled(self, identifier: str) -> None:
        live = self.objects.get(identifier)
        if live is None or live.fact.owner == self.code:
            return
        if self._recall(identifier).blocks(live.fact.version, epoch=live.epoch):
            del self.objects[identifier]
            self.log.append(("recalled", identifier, live.fact.version))
            self._review_forwards(identifier)

    def _review_forwards(self, identifier: str) -> None:
        """Who forwards passes on what narrows (section 12)."""
        live, known = self.objects.get(identifier), self._recall(identifier)
        for forwarded, peer in sorted(self.forwards):
            if forwarded != identifier:
                continue
            if live is None:
                recall = Recall(narrowed=known.narrowed)
            elif peer not in self._audience(live.fact):
                recall = Recall(narrowed=max(live.fact.version, self.proven[identifier].version))
            elif peer not in self.roster.members:
                recall = Recall(left=live.fact.version, epoch=self.roster.epoch)
            else:
                continue
            self.forwards.discard((forwarded, peer))
            if recall != Recall():
                self._recall_from(peer, identifier, recall)

    # ---- receipts

    def _receipts(self, now: datetime) -> Iterator[Letter]:
        for (peer, lane), channels in self.ins.items():
            for incarnation, one in channels.items():
                open_items = one.cursor.highest > one.cursor.through and not one.cursor.closed
                if not receipts.is_due(one.ledger, open_items=open_items, now=now):
                    continue
                changed = dict(sorted(one.changes.values(), key=lambda pair: pair[0]))
                said = {number: state for number, state in changed.items() if number > one.ledger.said}
                chosen = dict(list(said.items())[:MOST_OBJECTS])
                gaps = one.kept.gaps(one.cursor, most=MOST_GAPS)
                holding, one.ledger = receipts.make(one.ledger, one.cursor, gaps=gaps, changed=chosen, now=now)
                yield Letter(self.code, peer, self._receipt(peer, lane, incarnation, holding, now))

    def _receipt(self, peer: str, lane: Lane, incarnation: str, holding: Holding, now: datetime) -> Receipt:
        return Receipt(
            id="receipt",
            realm=REALM,
            sender=self.code,
            recipient=peer,
            epoch=self.roster.epoch,
            sent_at=now,
            lane=lane,
            incarnation=incarnation,
            n=holding.n,
            through=holding.through,
            body_hash=holding.body_hash,
            highest=holding.highest,
            clock=now,
            gaps=holding.gaps,
            objects=holding.objects,
            since=holding.since,
            changes=holding.changes,
        )

    def _on_receipt(self, peer: str, receipt: Receipt, now: datetime) -> list[Letter]:
        out = self.outs.get((peer, receipt.lane))
        if out is None or out.outgoing.incarnation != receipt.incarnation:
            known = {*out.former, out.outgoing.incarnation} - {""} if out else set()
            number = receiving.incarnation_number(receipt.incarnation)
            if self.held is None and all(number > receiving.incarnation_number(one) for one in known):
                self._become_held(now)
            return []
        said = Holding(
            receipt.n,
            receipt.through,
            receipt.body_hash,
            receipt.highest,
            receipt.gaps,
            receipt.since,
            receipt.changes,
            receipt.objects,
        )
        ends = {entry.span.last: entry.span.digest for entry in out.entries.values()}
        weighed = receipts.weigh(out.belief, said, given=out.outgoing.given, digest_at_through=ends.get(said.through))
        if weighed.alarm is Alarm.HIGHER:
            self._become_held(now)
            return []
        if weighed.alarm is Alarm.OTHER_CHAIN:
            self._freeze(peer, f"receipt of {receipt.channel}")
            return []
        if weighed.belief is not out.belief:
            out.belief, out.heard_at = weighed.belief, now
            out.states |= {state.object: state for state in weighed.objects}
            covered, missing = sending.answered(list(out.entries.values()), out.belief, now=now)
            for entry in [*covered, *missing]:
                self._store(out, entry)
        if weighed.ask_since is not None:
            return [Letter(self.code, peer, Ask(channel=receipt.channel, since=weighed.ask_since))]
        return []

    def _become_held(self, now: datetime) -> None:
        if self.held is None:
            self.alarms.append("a peer has positions that were never given here")
            self.restore(now, self.machine + 100)

    # ---- comparison

    def shared_out(self, peer: str) -> dict[bytes, tuple[bytes, str]]:
        """Key -> leaf and object of what this node says that ``peer`` has of its own objects (section 13)."""
        return {
            compare.key_of("", identifier): (_leaf(live.fact), identifier)
            for identifier, live in self.objects.items()
            if live.fact.owner == self.code and peer in live.fact.audience & self.roster.members
        }

    def shared_in(self, peer: str) -> dict[bytes, tuple[bytes, str]]:
        """The same of what this node has of ``peer``'s objects: live, waiting or refused, the latest of each."""
        latest = self._latest_of(peer, with_gaps=False)
        return {compare.key_of("", name): (_leaf(fact), name) for name, fact in latest.items()}

    def _latest_of(self, owner: str, *, with_gaps: bool = True) -> dict[str, Fact]:
        """Of each object the latest version here; ``with_gaps``: also what waits for nothing but a gap to close."""
        latest: dict[str, Fact] = {}
        waiting = (
            Live(_fact(stored.envelope), stored.envelope.epoch)
            for stored in self._stored()
            if stored.envelope.kind != RECALL and (with_gaps or not self._awaits_gap(stored.item))
        )
        for held_here in [*self.objects.values(), *waiting, *self.refused.values()]:
            fact = held_here.fact
            if fact.owner != owner or self._recall(fact.object).blocks(fact.version, epoch=held_here.epoch):
                continue
            if fact.object not in latest or latest[fact.object].version < fact.version:
                latest[fact.object] = fact
        return latest

    def repair(self, peer: str, identifier: str) -> None:
        """Send anew what a comparison showed to be missing, older or no longer allowed at ``peer``."""
        live = self.objects.get(identifier)
        if live is None:
            return
        if peer in live.fact.audience:
            self._enqueue(peer, live.fact)
        else:
            narrowed = max(live.fact.version, self._recall(identifier).narrowed)
            self._recall_from(peer, identifier, Recall.of(narrowed, cause=Cause.MARKING, epoch=self.roster.epoch))

    def ask_back(self, peer: str, now: datetime) -> None:
        """What ``peer`` has of this node's objects may be later than what is here (sections 12 and 13)."""
        self.asked_back.setdefault(peer, held.Held(now, frozenset({peer})))

    def note_equal(self, peer: str) -> None:
        self.incomplete.discard(peer)

    def has_news(self) -> bool:
        """Whether it has a receipt to make."""
        return any(one.ledger.unsaid for channels in self.ins.values() for one in channels.values())

    def unrest(self) -> object:
        """Whom it waits for, and where rows or bodies wait."""
        outs = [where for where, out in self.outs.items() if out.rows or self._uncovered(out)]
        return self.held and sorted(self.held.waiting_for), outs

    def is_quiet(self) -> bool:
        """Nothing to ask, nothing to send, nothing unacknowledged."""
        if set(self.asked_back) & self.roster.members:
            return False
        return self.held is None and all(
            not out.rows and not self._uncovered(out)
            for (peer, _lane), out in self.outs.items()
            if peer in self.roster.members
        )


_EPOCH_START = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def _leaf(fact: Fact) -> bytes:
    return compare.leaf_of(fact.kind, fact.object, fact.version, fact.leaf, is_recalled=False)


def _fact(envelope: Envelope) -> Fact:
    text, needs = json.loads(envelope.payload)
    return Fact(envelope.object, envelope.version, envelope.kind, frozenset(json.loads(envelope.marking)), text, needs)


def _envelope(data: bytes) -> Envelope:
    said = json.loads(data)
    author = said["author"]
    return Envelope(
        id=said["id"],
        realm=said["realm"],
        sender=said["from"],
        recipient=said["to"],
        epoch=said["epoch"],
        sent_at=datetime.fromisoformat(said["sent_at"]),
        lane=Lane(said["lane"]),
        incarnation=said["incarnation"],
        seq=said["seq"],
        prev=said["prev"],
        kind=said["kind"],
        schema=said["schema"],
        object=said["object"],
        version=Version(**said["version"]),
        marking=said["marking"],
        payload=said["payload"],
        author=Author(
            team=author["team"],
            person="",
            key="",
            marking="",
            epoch=1,
            signature=b"forged" if author["signature"] else b"",
        ),
        via=tuple(said["via"]),
    )
