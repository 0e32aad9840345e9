"""Whatever comes: bodies take their positions, rosters and asks are heeded."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from federation_node import restored
from federation_node.receipting import Receipting
from federation_node.values import RECALL, Ask, In, Letter, Roster, Stored, fact_of
from tansiq.exchange import held, receipts, receiving
from tansiq.exchange.body import Body, Envelope, Placed, Receipt, Skip
from tansiq.exchange.channel import Cursor, Span
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receipts import Ledger
from tansiq.exchange.receiving import Cause, Numbering, Place, Recall, Waiting


class Receiving(Receipting):
    """Whatever comes: bodies take their positions, rosters and asks are heeded."""

    def receive(self, letter: Letter, now: datetime) -> list[Letter]:
        content, peer = letter.content, letter.sender
        if isinstance(content, Roster):
            return self.on_roster(content, now)
        if isinstance(content, restored.Request):
            return self.on_request(peer, content)
        if isinstance(content, restored.Answer):
            return self.on_answer(peer, content, now)
        if isinstance(content, Ask):
            return self._on_ask(peer, content)
        why = self._parks(letter, now)
        if why is not None:
            self.parked[content.digest] = letter
            return [Letter(self.code, peer, Ask(epoch=content.epoch))] if why is Reason.EPOCH else []
        self.parked.pop(content.digest, None)
        if self.held or peer in self.frozen or peer not in self.roster.members | self.roster.former:
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
                    self.proven.get(item.object, fact_of(body)), fact_of(body), key=lambda fact: fact.version
                )
                self._review_forwards(item.object)
            self._settle(item.object, now)
        if moved:
            for identifier in {stored.item.object for stored in above}:
                self._settle(identifier, now)
        return None

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
