"""A file from a stick is taken in: rosters, bodies, chunks, by the same inbox as every other way (section 16, File).

Each portion is a transaction of its own and taking it twice changes nothing, so that an import which was killed is
simply done again. What it asks for is answered by the next file that is written here, or by the other ways.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType

from tansiq.exchange.blobs import BlobContradicts, BlobStore
from tansiq.exchange.body import BlobReference, Placed, Receipt
from tansiq.exchange.models import AskHeard, Waiting, WaitingFor
from tansiq.exchange.node import attempts, candidates, holding, inbox, receipting, settling
from tansiq.exchange.node.asking import take_rosters
from tansiq.exchange.node.here import Here
from tansiq.exchange.node.inbox import Became
from tansiq.exchange.opener import Opener
from tansiq.exchange.parts import Chunk, ForNode, Part, RosterText
from tansiq.exchange.reading import read_envelope
from tansiq.exchange.requests import Answer, Ask, ReceiptAsked, RecoveryAsked, RecoveryGiven
from tansiq.exchange.seal import Junk, Sealed
from tansiq.exchange.sending import Way
from tansiq.exchange.trust import Authentic, authenticate
from tansiq.exchange.values import Unfit

PORTION, PORTION_BYTES = 200, 32 * 1024**2
_NO_BLOBS = b'"blobs":[]'


@dataclass(slots=True)
class Imported:
    """What became of a file's parts so far.

    Attributes:
        became: bodies with a position, and those that were refused or parked as a whole, by ``inbox.Became``.
        junk: messages that nobody known has sealed for this node.
        rosters: how many the file held. ``epoch``: the roster here in the end.
        chunks: taken; those of files that nothing here names are passed over.
    """

    became: Counter[Became] = field(default_factory=Counter)
    receipts: int = 0
    junk: int = 0
    rosters: int = 0
    epoch: int = 0
    chunks: int = 0
    chunks_unknown: int = 0


class Importing:
    """Takes the parts of one file, in their order. ``with Importing(…) as importing: importing.take(parts)``.

    Args:
        present: this node under the roster of now; a file may bring a newer one.
    """

    def __init__(self, present: Callable[[], Here], *, store: BlobStore, clock: Callable[[], datetime]) -> None:
        self.present, self.store, self.clock = present, store, clock
        self.imported = Imported()
        self.here = present()
        self._opener: Opener | None = None
        self._references: dict[str, list[BlobReference]] = {}

    def __enter__(self) -> Importing:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._opener is not None:
            self._opener.close()

    def take(self, parts: Iterable[Part], *, told: Callable[[Imported], None] = lambda imported: None) -> None:
        """Until the file ends. ``told`` hears how far it is after each portion."""
        rosters: list[RosterText] = []
        bodies: list[ForNode] = []
        for part in parts:
            if isinstance(part, RosterText):
                rosters.append(part)
            elif isinstance(part, ForNode):
                self._take_rosters(rosters)
                bodies.append(part)
                if len(bodies) == PORTION or sum(len(one.data) for one in bodies) > PORTION_BYTES:
                    self._take_bodies(bodies)
                    told(self.imported)
            else:
                self._take_bodies(bodies)
                self._take_chunk(part)
                told(self.imported)
        self._take_rosters(rosters)
        self._take_bodies(bodies)
        self._settle()
        self.imported.epoch = self.here.epoch
        told(self.imported)

    # ---- rosters

    def _take_rosters(self, rosters: list[RosterText]) -> None:
        """Their signatures count, not who brought them."""
        if rosters:
            take_rosters([one.data for one in rosters], self.clock())
            self.imported.rosters += len(rosters)
            rosters.clear()
            self.here = self.present()
            inbox.unpark(self.here, self.clock())

    # ---- bodies

    def _take_bodies(self, bodies: list[ForNode]) -> None:
        if not bodies:
            return
        now, authentic = self.clock(), []
        if self._opener is None:
            self._opener = Opener(self.here.secrets, self.here.facts.believed_certificates())
        for part, opened in zip(bodies, self._opener.open_all([Sealed(one.data) for one in bodies]), strict=True):
            judged = opened if isinstance(opened, Junk) else authenticate(opened, self.here.facts)
            if isinstance(judged, Junk):
                inbox.receive_junk(judged, Sealed(part.data), Way.FILE, now)
                self.imported.junk += 1
            else:
                authentic.append((judged, Way.FILE.value))
        bodies.clear()
        outcomes = inbox.receive(self.here, authentic, now=now)
        for outcome in outcomes:
            self._follow(outcome, now)
        self._note_references([body for body, _way in authentic])

    def _follow(self, outcome: inbox.Outcome, now: datetime) -> None:
        head = outcome.body.head
        if outcome.became is not Became.OTHER:
            self.imported.became[outcome.became] += 1
        elif isinstance(head, Receipt):
            attempts.on_receipt(self.here, head, now)
            self.imported.receipts += 1
        elif isinstance(head, Ask) and isinstance(head.asked, ReceiptAsked):
            asked = head.asked
            receipting.on_asked(self.here, head.sender, asked.lane, asked.incarnation, asked.since)
        elif isinstance(head, Ask) and isinstance(head.asked, RecoveryAsked) and head.sender in self.here.peers:
            said = {"body": outcome.body.content, "heard_at": now}
            AskHeard.objects.update_or_create(peer=head.sender, defaults=said)
        elif isinstance(head, Answer) and isinstance(head.given, RecoveryGiven):
            # Its ask was made by the process that wrote a file; that the page is wanted, ``since`` and ``after`` say.
            holding.on_answer(self.here, head.sender, head.given, now)

    def _settle(self) -> None:
        while settling.settle_ready(self.here, self.clock()):
            continue

    # ---- chunks

    def _note_references(self, bodies: Sequence[Authentic]) -> None:
        for body in bodies:
            if isinstance(body.head, Placed) and _NO_BLOBS not in body.content:
                self._note(body)

    def _note(self, body: Authentic) -> None:
        try:
            head = body.head
            assert isinstance(head, Placed)
            blobs = read_envelope(head).blobs if json.loads(body.content)["t"] == "envelope" else ()
        except Unfit:
            return
        for blob in blobs:
            known = self._references.setdefault(blob.digest, [])
            if blob not in known:
                known.append(blob)

    def _take_chunk(self, chunk: Chunk) -> None:
        """Tried by its tag, with the key of whatever names it; kept once for each that does (section 9)."""
        if chunk.digest not in self._references:
            self._note_references(_waiting_for(chunk.digest))
            self._references.setdefault(chunk.digest, [])
        is_taken = False
        for of in self._references[chunk.digest]:
            try:
                is_whole = self.store.receive(of, chunk.index, chunk.data)
            except (Unfit, BlobContradicts):
                continue
            is_taken = True
            if is_whole:
                settling.on_blob(self.here, chunk.digest, self.clock())
        self.imported.chunks += is_taken
        self.imported.chunks_unknown += not is_taken


def _waiting_for(digest: str) -> list[Authentic]:
    """Bodies that came before, by whichever way, and wait for this blob."""
    rows = WaitingFor.objects.filter(what=candidates.BLOB + digest).values("waiting_id")
    waiting = Waiting.objects.filter(pk__in=rows)[:PORTION]
    return [Authentic.stored(bytes(row.body), signer=row.signer) for row in waiting]
