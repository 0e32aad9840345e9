"""What is stored becomes what is applied, recalled, parked or refused; who forwards passes on what narrows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from federation_node.keeping import Keeping
from federation_node.values import POISON, RECALL, SELF_CONTAINED, Live, fact_of
from tansiq.exchange import receiving
from tansiq.exchange.body import Envelope, ObjectState, State, Version
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Applied, Item, Recall
from tansiq.exchange.values import digest


class Settling(Keeping):
    """What is stored becomes what is applied, recalled, parked or refused; who forwards passes on what narrows."""

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
        leaf = digest(body.payload.encode()) if body.kind == RECALL else fact_of(body).leaf
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

    def _settle_woken(self, now: datetime) -> None:
        woken, self.woken = self.woken, set()
        for identifier in sorted(woken & set(self.waiting)):
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
                self.refused[envelope.object, envelope.version] = Live(fact_of(envelope), envelope.epoch)
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
        self.objects[envelope.object] = Live(fact_of(envelope), envelope.epoch)
        self.known_of.add(envelope.object)
        self.log.append(("applied", envelope.object, envelope.version))
        self._review_forwards(envelope.object)
        for forwarded, peer in sorted(self.forwards):
            if forwarded == envelope.object:
                self._enqueue(peer, fact_of(envelope))
        return self._needing(envelope.object) & set(self.waiting)

    def _know_of(self, identifier: str) -> None:
        """What others sent may refer to it, and have come before."""
        if identifier not in self.known_of:
            self.known_of.add(identifier)
            self.woken |= self._needing(identifier)

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
