"""What goes into a file for a stick: all that some peers have not acknowledged, sealed anew (section 16, File)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from tansiq.exchange import pages
from tansiq.exchange.blob import chunk_count
from tansiq.exchange.blobs import BlobNotHeld, BlobStore
from tansiq.exchange.body import Body, Lane, State
from tansiq.exchange.models import AskHeard, Link, OutboxRow, OutChannel, Recipient, SharedObject, Statement
from tansiq.exchange.node import (
    attempts,
    freezing,
    holding,
    keeping,
    recalls,
    receipting,
    returning,
    rosters,
    sealing,
    serving,
    uses,
    ways,
)
from tansiq.exchange.node.asking import head
from tansiq.exchange.node.deciding import Deciding, going_of
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.portions import in_parts
from tansiq.exchange.parts import MOST_ENTRIES, Chunk, ForNode, Part, RosterText
from tansiq.exchange.reading import read_content, read_head
from tansiq.exchange.reasons import Reason
from tansiq.exchange.requests import Answer, Ask, ReceiptAsked, RecoveryAsked
from tansiq.exchange.seal import seal_written

_NO_BLOBS = b'"blobs":[]'
ROOM_FOR_CHUNKS = 50_000
"""Entries that bodies leave to chunks and rosters: what does not fit goes into the next file."""
AT_ONCE = 500
DECIDED_AT_ONCE = 100
"""Bodies: a stick may take seconds for them, and what is decided must not be old when it is written."""


@dataclass(slots=True)
class Exported:
    """What was given to the file so far.

    Attributes:
        bodies, receipts: by peer.
        left: by peer: bodies that waited when the file was begun and are not in it.
        blobs_left: files of which something is not in it: no room, or not held here.
        is_full: for want of room.
    """

    bodies: Counter[str] = field(default_factory=Counter)
    receipts: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    rosters: int = 0
    chunks: int = 0
    blobs_left: int = 0
    is_full: bool = False

    @property
    def is_whole(self) -> bool:
        """Nothing was left for a next file."""
        return not (self.left.total() or self.blobs_left)


def unsealed(peers: Sequence[str]) -> int:
    """Rows for these that have no position yet: where another process seals them, it does so at once."""
    return OutboxRow.objects.filter(peer__in=peers).count()


def is_sealed_elsewhere(peers: Sequence[str], now: datetime) -> bool:
    """Whether another process gives positions to what is for these, or did a moment ago."""
    if serving.served(now) is not None:
        return True
    return OutChannel.objects.filter(peer__in=peers, sealer_until__gt=now).exclude(sealer="").exists()


class Exporting:
    """The parts of one file, in the order of section 16, one in memory at a time.

    Args:
        peers: nodes that the file is for: peers; or one that was removed lately, which gets its recalls (section 12).
        store: of this node's blobs.
        worker: name of this process, for leases.
    """

    def __init__(self, here: Here, peers: Sequence[str], *, store: BlobStore, worker: str, now: datetime) -> None:
        self.here, self.peers, self.store, self.worker, self.now = here, sorted(peers), store, worker, now
        self.exported = Exported()
        self._blobs: dict[str, int] = {}
        self._entries = 1
        self._newest: int | None = None

    def seal(self, now: datetime) -> int:
        """Give positions to what waits, as far as no other process is about to.

        Returns: how many rows of those that waited when this was first called have none yet, and are to get one now.
        """
        self.now = now
        while recalls.sign_recalls(self.here, now=now, most=AT_ONCE) == AT_ONCE:
            continue
        if self._newest is None:
            self._newest = OutboxRow.objects.order_by("-id").values_list("id", flat=True).first() or 0
        for peer in self.peers:
            self._seal(peer)
        return sum(self._unsealed(peer).count() for peer in set(self.peers) - keeping.silent(self.peers))

    def _unsealed(self, peer: str) -> QuerySet[OutboxRow]:
        return OutboxRow.objects.filter(peer=peer, id__lte=self._newest)

    def parts(self) -> Iterator[Part]:
        """That something was attempted is stored before its part is given."""
        self.seal(self.now)
        yield from self._rosters()
        for peer in self.peers:
            for lane in Lane:
                yield from self._said(peer, lane)
        for lane in Lane:
            for peer in self.peers:
                yield from self._bodies(peer, lane)
        yield from self._chunks()
        ways.note_exported(self.peers, self.now)

    def _seal(self, peer: str) -> None:
        for lane in Lane:
            while sealing.seal_channel(self.here, peer, lane, worker=self.worker, now=self.now, most=AT_ONCE):
                continue
        sealing.release(self.worker)

    def _rosters(self) -> Iterator[Part]:
        """From the newest on that each of them is known to have; all, where one of them was never heard. Who was
        removed gets none after the one that removed it."""
        heard = dict(Link.objects.filter(peer__in=self.peers).values_list("peer", "heard_epoch"))
        last = min((self.here.epoch_for(peer) for peer in self.peers), default=self.here.epoch)
        for epoch in range(min(heard.get(peer, 0) for peer in self.peers) + 1, last + 1):
            signed = rosters.signed_at(epoch)
            if signed is not None:
                self._entries += 1
                self.exported.rosters += 1
                yield RosterText(epoch, signed.written().encode())

    def _said(self, peer: str, lane: Lane) -> Iterator[Part]:
        """Receipts for all that came, a wish for those that did not come here; what is asked back, and given back."""
        if peer in self.here.removed:
            return
        receipts = receipting.all_receipts(self.here, peer, lane, now=self.now)
        self.exported.receipts[peer] += len(receipts)
        channel = OutChannel.objects.filter(peer=peer, lane=lane.value).exclude(incarnation="").first()
        bodies: list[Body] = list(receipts)
        is_frozen = bool(freezing.frozen([peer]))
        if channel is not None and not is_frozen:
            asked = ReceiptAsked(lane=lane, incarnation=channel.incarnation, since=channel.believed_changes)
            bodies.append(Ask(**head(self.here, peer, self.now), asked=asked))  # type: ignore[arg-type]
        if lane is Lane.NORMAL and not is_frozen:
            bodies += self._recovery(peer)
        for body in bodies:
            yield self._sealed(peer, lane, body.written())

    def _recovery(self, peer: str) -> Iterator[Body]:
        """What this node wants back, and all pages of what the peer asked for by a file (sections 11.1 and 16)."""
        wanted = returning.wanted_of(self.here, peer)
        if wanted is not None:
            yield Ask(**head(self.here, peer, self.now), asked=wanted)  # type: ignore[arg-type]
        row = AskHeard.objects.filter(peer=peer).first()
        if row is None:
            return
        ask = read_head(*read_content(bytes(row.body)))
        assert isinstance(ask, Ask)
        asked: RecoveryAsked | None = ask.asked if isinstance(ask.asked, RecoveryAsked) else None
        partial = None
        while asked is not None and (pages_given := holding.on_request(self.here, peer, asked, self.now)):
            (given,) = pages_given
            yield Answer(**head(self.here, peer, self.now), answers=ask.id, given=given)  # type: ignore[arg-type]
            found = pages.joined(partial, given.pieces)
            partial, asked = found.partial, pages.next_recovery(asked, given, found)
        row.delete()

    def _bodies(self, peer: str, lane: Lane) -> Iterator[Part]:
        above = 0
        self.exported.left[peer] += self._unsealed(peer).filter(lane=lane.value).count()  # before they may be sealed
        while made := attempts.by_file(self.here, peer, lane, above=above, now=self.now, most=DECIDED_AT_ONCE):
            above = made[-1].first
            for attempt in made:
                self._note_blobs(attempt.body)
                self.exported.bodies[peer] += 1
                yield self._sealed(peer, lane, attempt.body)
            if self._entries >= MOST_ENTRIES - ROOM_FOR_CHUNKS:
                break
        left = attempts.left_of(self.here, peer, lane, above=above)
        self.exported.left[peer] += left
        self.exported.is_full |= bool(made and left)

    def _sealed(self, peer: str, lane: Lane, body: bytes) -> Part:
        self._entries += 1
        to = self.here.certificate_of(peer)
        assert to is not None
        by = self.here.secret_at(self.here.epoch_for(peer)) if peer in self.here.removed else self.here.secrets[0]
        return ForNode(peer, lane, seal_written(body, by=by, to=to).data)

    def _note_blobs(self, body: bytes) -> None:
        if _NO_BLOBS not in body:
            self._blobs |= _sizes(json.loads(body).get("blobs", ()))

    def _chunks(self) -> Iterator[Part]:
        """Of what was just given, and of what a peer has said that it waits for."""
        for peer in self.peers:
            for statement in self._awaited(peer):
                self._blobs |= _sizes(json.loads(bytes(statement.content))["blobs"])
        for digest, size_bytes in sorted(self._blobs.items()):
            if not self._may_go(digest):
                continue
            if self._entries + chunk_count(size_bytes) > MOST_ENTRIES:
                self.exported.is_full = True
                self.exported.blobs_left += 1
                continue
            yield from self._chunks_of(digest, size_bytes)

    def _may_go(self, digest: str) -> bool:
        """Decided again (section 8.3): the bodies before it may have taken minutes to write."""
        if holding.is_held() or keeping.is_outdated(self.here.epoch):
            return False
        return any(uses.may_get(self.here, peer, digest, self.now) for peer in self.peers)

    def _chunks_of(self, digest: str, size_bytes: int) -> Iterator[Part]:
        for index in range(chunk_count(size_bytes)):
            try:
                data = self.store.chunk(digest, index)
            except BlobNotHeld:
                self.exported.blobs_left += 1
                return
            self._entries += 1
            self.exported.chunks += 1
            yield Chunk(digest, index, data)

    def _awaited(self, peer: str) -> Iterable[Statement]:
        waits = Recipient.objects.filter(peer=peer, state=State.PARKED.value, reason=Reason.BLOB.value)
        names = list(waits.values_list("object", flat=True))
        asked = SharedObject.objects.filter(statement__isnull=False).select_related("statement")
        statements = [row.statement for some in in_parts(names) for row in asked.filter(object__in=some)]
        allowed = Deciding(self.here, self.now).may_go(peer, [going_of(one) for one in statements])
        return [one for one in statements if one.pk in allowed]


def _sizes(said: Iterable[Mapping[str, object]]) -> dict[str, int]:
    return {str(blob["digest"]): int(str(blob["size_bytes"])) for blob in said}
