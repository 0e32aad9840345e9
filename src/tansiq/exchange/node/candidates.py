"""A version that may be applied: what came of it, what it lacks, and what settling makes of it (section 7)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, ClassVar

from tansiq.exchange import author, reading, recall, receiving
from tansiq.exchange.body import Envelope, Lane, Placed, Version
from tansiq.exchange.kinds import Said
from tansiq.exchange.models import InChannel, Waiting
from tansiq.exchange.node.examining import Examined
from tansiq.exchange.node.here import Here
from tansiq.exchange.reasons import Reason
from tansiq.exchange.receiving import Item
from tansiq.exchange.trust import Authentic

CLOCK = "clock"
KIND, BLOB, RECALLED = "kind:", "blob:", "recall:"
"""What ``WaitingFor.what`` begins with where it is no object's id; a kind, a digest or an object's id follows."""


@dataclass(eq=False, slots=True)
class Arrived:
    """The columns of a row of ``Waiting`` that is not stored yet: most are never stored."""

    channel: InChannel
    seq: int
    object: str
    term: int
    n: int
    leaf: str
    kind: str
    team: str
    epoch: int
    marking_text: str
    signer: str
    size_bytes: int
    way: str
    arrived_at: datetime
    body: bytes
    self_contained: bool = False
    proven: bool = False
    unfit: str = ""
    refused: str = ""
    refused_by: str = ""
    state: str = ""
    reason: str = ""
    detail: str = ""
    ready: bool = False
    examined: int = 0
    not_before: datetime | None = None
    pk: ClassVar[None] = None

    @property
    def channel_id(self) -> int:
        return self.channel.pk

    def row(self) -> Waiting:
        return Waiting(**{one.name: getattr(self, one.name) for one in fields(self)})


@dataclass(eq=False, slots=True)
class Candidate:
    """A row of ``Waiting``, stored or not yet, while its object is settled.

    Attributes:
        lacking: what it needed when it was examined and may not be here yet (``WaitingFor.what``).
        examined: None for a row of before, until its body is needed.
        stale: the row, or what it lacks, is not stored as it is here.
        has_place: it is counted among what waits for something other than a gap.
        reason: of a recall that was obeyed, what the receipt says.
    """

    row: Waiting | Arrived
    item: Item
    lacking: set[str]
    examined: Examined | None = None
    stale: bool = False
    has_place: bool = False
    reason: str = receiving.DELETED
    _payload: Any = field(default=None)

    @classmethod
    def of(cls, here: Here, channel: InChannel, examined: Examined, way: str, now: datetime) -> Candidate:
        """What has just come, its position taken."""
        head, envelope = examined.body.head, examined.envelope
        assert isinstance(head, Placed)
        row = Arrived(
            channel=channel,
            seq=head.seq,
            object=examined.object,
            term=envelope.version.term if envelope else 0,
            n=envelope.version.n if envelope else 0,
            leaf="",  # as it is judged
            kind=envelope.kind if envelope else "",
            team=envelope.author.team if envelope else "",
            epoch=head.epoch,
            marking_text=envelope.marking.replace("\0", "") if envelope else "",  # with one it is no JSON anyway
            signer=examined.body.signer,
            size_bytes=len(examined.body.content),
            way=way,
            arrived_at=now,
            body=examined.body.content,
        )
        made = cls(row, _NO_ITEM, set(), stale=True)
        made.judge(here, examined)
        return made

    @classmethod
    def stored(cls, row: Waiting, lacking: set[str]) -> Candidate:
        return cls(row, item_of(row), lacking, has_place=row.reason != receiving.GAP)

    def judge(self, here: Here, examined: Examined) -> None:
        """Take over what the checks say now."""
        row, kind = self.row, here.kinds.get(self.row.kind)
        self.examined, self._payload = examined, None
        row.unfit = examined.unfit or ""
        row.refused = examined.refused or (row.refused if row.refused_by else "")  # what a person said stays said
        row.detail, row.examined = examined.detail[:500], here.epoch
        row.not_before = examined.not_before
        row.proven, row.leaf = examined.proven, _leaf(examined)
        row.self_contained = kind is not None and kind.self_contained
        self.lacking = self._needs(here)
        self.item, self.stale = item_of(row), True

    def _needs(self, here: Here) -> set[str]:
        """What has to be here first (5.13, 5.18, 5.20, 5.21)."""
        examined = self.examined
        assert examined is not None
        if examined.not_before is not None:
            return {CLOCK}
        if examined.unfit or examined.refused or examined.envelope is None:
            return set()
        envelope = examined.envelope
        kind = here.kinds.get(envelope.kind)
        if kind is None or kind.schema != envelope.schema:
            return {KIND + envelope.kind}
        blobs = {BLOB + blob.digest for blob in envelope.blobs} if kind.blobs_needed else set()
        return {*kind.references(self.payload), *blobs}

    @property
    def body(self) -> Authentic:
        if self.examined is not None:
            return self.examined.body
        return Authentic.stored(bytes(self.row.body), signer=self.row.signer)

    @property
    def envelope(self) -> Envelope:
        """Only of what is fit."""
        assert self.examined is not None
        assert self.examined.envelope is not None
        return self.examined.envelope

    @property
    def payload(self) -> Any:
        if self._payload is None:
            self._payload = json.loads(self.envelope.payload)
        return self._payload

    @property
    def is_recall(self) -> bool:
        return self.row.kind == recall.KIND

    def said(self) -> Said:
        """For the desk that keeps such objects."""
        envelope = self.envelope
        return Said(
            kind=envelope.kind,
            schema=envelope.schema,
            object=envelope.object,
            version=envelope.version,
            team=envelope.author.team,
            person=envelope.author.person,
            marking=envelope.marking,
            payload=self.payload,
            blobs=envelope.blobs,
        )

    def read(self) -> None:
        """Have the envelope of a row that was found fit before."""
        if self.examined is not None:
            return
        body = self.body
        assert isinstance(body.head, Placed)
        envelope = reading.read_envelope(body.head)
        self.examined = Examined(body, envelope, envelope.object)

    def is_unfit(self, reason: Reason | None, detail: str = "") -> None:
        """``None``: it is fit after all."""
        self.row.unfit, self.row.detail, self.stale = reason or "", detail, True
        self.item = replace(self.item, unfit=reason)

    def is_refused(self, reason: Reason) -> None:
        self.row.refused, self.stale = reason.value, True
        self.item = replace(self.item, refused=reason)


def _leaf(examined: Examined) -> str:
    """Of what nobody signed (5.11, 5.13) another than any version has: it never stands for one (section 13)."""
    if examined.envelope is None or examined.unfit is Reason.SIGNATURE:
        return examined.body.digest
    return author.said_by(examined.envelope).leaf


def item_of(row: Waiting | Arrived) -> Item:
    return Item(
        key=f"{row.channel_id:020d} {row.seq:020d}",
        object=row.object,
        version=Version(row.term, row.n),
        leaf=row.leaf,
        epoch=row.epoch,
        self_contained=row.self_contained,
        unfit=Reason(row.unfit) if row.unfit else None,
        refused=Reason(row.refused) if row.refused else None,
    )


_NO_ITEM = Item("", "", Version(0, 0), "", 0)


def lane_of(channel: InChannel) -> Lane:
    return Lane(channel.lane)
