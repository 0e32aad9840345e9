"""What a node in memory keeps and sends: facts, rosters, letters, and the two ends of a channel."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime

from factories.positions import Kept
from federation_node import restored
from tansiq.exchange import compare
from tansiq.exchange.body import Author, Body, Channel, Envelope, Lane, ObjectState, Version
from tansiq.exchange.channel import Cursor
from tansiq.exchange.receipts import NOTHING, Holding, Ledger
from tansiq.exchange.receiving import Item, Recall
from tansiq.exchange.sending import Entry, Outgoing, Row, Way
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
    content: Body | Roster | Ask | restored.Request | restored.Answer
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


BEGINNING_OF_EPOCH = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def leaf_of(fact: Fact) -> bytes:
    return compare.item_of(fact.object, fact.kind, fact.version, fact.leaf)[1]


def fact_of(envelope: Envelope) -> Fact:
    text, needs = json.loads(envelope.payload)
    return Fact(envelope.object, envelope.version, envelope.kind, frozenset(json.loads(envelope.marking)), text, needs)


def envelope_of(data: bytes) -> Envelope:
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
