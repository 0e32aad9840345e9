"""What people and loops do with a node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from federation_node import restored
from federation_node.receiving import Receiving
from federation_node.values import LANES, Fact, Letter, Live
from tansiq.exchange import held
from tansiq.exchange.body import Version
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Cause, Recall


class Node(Receiving):
    """What people and loops do with a node."""

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
        self._know_of(identifier)
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

    def tick(self, now: datetime) -> list[Letter]:
        """Everything that the node's loops do at this moment."""
        if self.held:
            return [
                Letter(self.code, peer, restored.Request(self.held.since, self.held.after.get(peer, "")))
                for peer in sorted(self.held.waiting_for)
            ]
        self._settle_woken(now)
        letters = [
            Letter(self.code, peer, restored.Request(asking.since, asking.after.get(peer, "")))
            for peer, asking in sorted(self.asked_back.items())
        ]
        for (peer, lane), out in self.outs.items():
            if peer in self.frozen:
                continue
            self._seal(peer, lane, out, now)
            letters += self._attempts(peer, lane, out, now)
        return letters + list(self._receipts(now))

    def is_quiet(self) -> bool:
        """Nothing to ask, nothing to send, nothing unacknowledged."""
        if set(self.asked_back) & self.roster.members:
            return False
        return self.held is None and all(
            not out.rows and not self._uncovered(out)
            for (peer, _lane), out in self.outs.items()
            if peer in self.roster.members
        )

    def has_news(self) -> bool:
        """Whether it has a receipt to make."""
        return any(one.ledger.unsaid for channels in self.ins.values() for one in channels.values())

    def unrest(self) -> object:
        """Whom it waits for, and where rows or bodies wait."""
        outs = [where for where, out in self.outs.items() if out.rows or self._uncovered(out)]
        return self.held and sorted(self.held.waiting_for), outs
