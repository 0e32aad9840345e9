"""Receipts made and believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from federation_node.recovering import Recovering
from federation_node.values import REALM, Ask, Letter
from tansiq.exchange import receipts, receiving, sending
from tansiq.exchange.body import MOST_GAPS, MOST_OBJECTS, Lane, Receipt
from tansiq.exchange.receipts import Alarm, Holding


class Receipting(Recovering):
    """Receipts made and believed."""

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
            if all(number > receiving.incarnation_number(one) for one in known):
                self._doubt(peer, receipt, now)
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
            self._doubt(peer, receipt, now)
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
