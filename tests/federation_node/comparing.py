"""What two nodes share, and how a difference is repaired."""

from __future__ import annotations

from datetime import datetime

from federation_node import restored
from federation_node.sending import Sending
from federation_node.values import RECALL, Fact, Live, fact_of, leaf_of
from tansiq.exchange import compare
from tansiq.exchange.receiving import Cause, Recall


class Comparing(Sending):
    """What two nodes share, and how a difference is repaired."""

    def note_equal(self, peer: str) -> None:
        self.incomplete.discard(peer)

    def shared_out(self, peer: str) -> dict[bytes, tuple[bytes, str]]:
        """Key -> leaf and object of what this node says that ``peer`` has of its own objects (section 13)."""
        return {
            compare.key_of("", identifier): (leaf_of(live.fact), identifier)
            for identifier, live in self.objects.items()
            if live.fact.owner == self.code and peer in live.fact.audience & self.roster.members
        }

    def shared_in(self, peer: str) -> dict[bytes, tuple[bytes, str]]:
        """The same of what this node has of ``peer``'s objects: live, waiting or refused, the latest of each."""
        latest = self._latest_of(peer, with_gaps=False)
        return {compare.key_of("", name): (leaf_of(fact), name) for name, fact in latest.items()}

    def _latest_of(self, owner: str, *, with_gaps: bool = True) -> dict[str, Fact]:
        """Of each object the latest version here; ``with_gaps``: also what waits for nothing but a gap to close."""
        latest: dict[str, Fact] = {}
        waiting = (
            Live(fact_of(stored.envelope), stored.envelope.epoch)
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
        self.asked_back.setdefault(peer, restored.Held(now, frozenset({peer})))
