"""What a node has, and what every part of it looks up or puts into the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from federation_node import restored
from federation_node.values import LANES, RECALL, Fact, In, Letter, Live, Out, Recalling, Roster, Stored
from tansiq.exchange import held
from tansiq.exchange.body import Lane, Version
from tansiq.exchange.channel import Limit
from tansiq.exchange.receiving import Recall
from tansiq.exchange.sending import Outgoing, Row


class Keeping:
    """What a node has, and what every part of it looks up or puts into the outbox."""

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
        self.woken: set[str] = set()
        self.kinds = set(LANES) - {"new.kind"}
        self.log: list[tuple[str, str, Version]] = []
        self.evidence: list[str] = []
        self.alarms: list[str] = []
        self.held: restored.Held | None = None
        self.incomplete: set[str] = set()
        self.raise_terms = False
        self.raised: set[str] = set()
        self.floors: dict[tuple[str, Lane], held.Stand] = {}
        self.frozen: set[str] = set()
        self.refused: dict[tuple[str, Version], Live] = {}
        self.proven: dict[str, Fact] = {}
        self.asked_back: dict[str, restored.Held] = {}
        self.doubted: dict[str, datetime] = {}

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

    def _stored(self) -> Iterator[Stored]:
        return (stored for by_key in self.waiting.values() for stored in by_key.values())

    def _freeze(self, peer: str, why: str) -> None:
        self.frozen.add(peer)
        self.evidence.append(why)
