"""A node whose state is an old backup, and what its peers give back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from federation_node import restored
from federation_node.comparing import Comparing
from federation_node.values import BEGINNING_OF_EPOCH, REALM, Fact, Letter, Live, Out, envelope_of, fact_of
from tansiq.exchange import held, receiving
from tansiq.exchange.body import Channel, Lane, Receipt
from tansiq.exchange.receipts import NOTHING
from tansiq.exchange.receiving import Recall
from tansiq.exchange.sending import Outgoing

AGAIN = timedelta(hours=1)


class Recovering(Comparing):
    """A node whose state is an old backup, and what its peers give back."""

    def restore(self, now: datetime, machine: int) -> None:
        """This state is an old backup: held until the peers have answered (section 11.1)."""
        self.machine = machine
        self.raise_terms, self.raised = True, set()
        self.held = restored.Held(now, self.roster.members - {self.code})
        self.asked_back.clear()
        self.outs = {
            where: Out(Outgoing(""), former={*out.former, out.outgoing.incarnation}) for where, out in self.outs.items()
        }
        self._maybe_release(now)

    def on_answer(self, peer: str, answer: restored.Answer, now: datetime) -> list[Letter]:
        if self.held is None:
            return self._on_asked_back(peer, answer, now)
        if answer.since != self.held.since or peer not in self.held.waiting_for:
            return []
        for returned in answer.objects:
            self._recover(peer, fact_of(envelope_of(returned.envelope)))
        for identifier, recall in answer.recalls.items():
            self._recover_recall(peer, identifier, recall)
        for stand in answer.stands:
            self._renumber(peer, stand)
        self.held, following = restored.on_answer(self.held, peer, answer)
        self._maybe_release(now)
        return [Letter(self.code, peer, following)] if following else []

    def _on_asked_back(self, peer: str, answer: restored.Answer, now: datetime) -> list[Letter]:
        """What a comparison or a receipt showed a peer to have otherwise: what a former life of this node sent it."""
        asking = self.asked_back.get(peer)
        if asking is None or answer.since != asking.since:
            return []
        before = dict(self.objects)
        for returned in answer.objects:
            self._recover(peer, fact_of(envelope_of(returned.envelope)))
        if self.objects != before and asking.since == self.doubted.get(peer):
            self._become_held(now)
            return []
        for identifier, recall in answer.recalls.items():
            self._recover_recall(peer, identifier, recall)
        for stand in answer.stands:
            self._renumber(peer, stand)
        if self.objects != before:
            self.incomplete |= self.roster.members - {self.code}
        self.asked_back[peer], following = restored.on_answer(asking, peer, answer)
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
            self._know_of(fact.object)

    def _recover_recall(self, peer: str, identifier: str, recall: Recall) -> None:
        if identifier.split(":")[0] == self.code and not self.raise_terms:
            return  # never restored, it knows its own recalls
        self.recalls[identifier] = self._recall(identifier).joined(recall)
        self._know_of(identifier)
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
            above = held.renumbered(one.ledger, stand)
            one.ledger = replace(above, unsaid=above != one.ledger or one.ledger.unsaid or self.held is not None)

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

    def on_request(self, peer: str, request: restored.Request) -> list[Letter]:
        """Answer a restored peer; what is between the two is to be compared afterwards."""
        if peer not in self.roster.members:
            return []
        self.incomplete.add(peer)
        objects = {
            fact.object: restored.Returned(fact.object, fact.version, fact.leaf, self._returned(fact))
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
        return [Letter(self.code, peer, restored.page(objects, recalls, stands, request))]

    def _returned(self, fact: Fact) -> bytes:
        channel = Channel(REALM, self.code, fact.owner, Lane.NORMAL, "1-aaaaaaaaaaaaaaaa")
        return self._envelope(fact, channel, 1, "0" * 64, BEGINNING_OF_EPOCH).written()

    def _doubt(self, peer: str, receipt: Receipt, now: datetime) -> None:
        """A peer says that it holds what was never given here. That proves nothing: the link alone begins anew."""
        recent = peer in self.doubted and now - self.doubted[peer] < AGAIN
        if self.held is not None or peer not in self.roster.members or recent:
            return
        self.alarms.append("a peer says that it holds what was never given here")
        for lane in Lane:
            out = self._out(peer, lane)
            again = [(entry.row, out.carried[first]) for first, entry in out.entries.items() if first in out.carried]
            rows = [(row, what) for row, what in again if row is not None]
            self.outs[peer, lane] = Out(Outgoing(""), rows + out.rows, former={*out.former, out.outgoing.incarnation})
        self.outs[peer, receipt.lane].former.add(receipt.incarnation)
        self.doubted[peer] = now
        self.asked_back[peer] = restored.Held(now, frozenset({peer}))
        self.incomplete.add(peer)

    def _become_held(self, now: datetime) -> None:
        """What a peer gave back, and this node signed, proves it."""
        self.alarms.append("a peer gave back what this node has signed and does not remember")
        self.restore(now, self.machine + 100)
