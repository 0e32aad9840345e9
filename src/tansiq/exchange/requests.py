"""Asks and answers: what has neither position nor receipt, as values and as canonical texts (section 3.6).

An ``Ask`` holds what is asked, an ``Answer`` what is given and the id of the ask; each subject has its own pair of
values. A receipt that was asked for comes as a receipt. Fields that are not known here stay in ``extra``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from tansiq.exchange import canonical, values
from tansiq.exchange.body import Body, Lane
from tansiq.exchange.held import Stand
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests_comparison import (
    MOST_RANGES,
    MOST_TURNS,
    ComparisonAsked,
    ComparisonGiven,
    CutAt,
    Outcome,
    range_said,
)
from tansiq.exchange.requests_parts import About, Piece, Said
from tansiq.exchange.values import length_prefixed

__all__ = [
    "CHUNK_HEAD_BYTES", "CHUNK_PREFIX", "CHUNK_TAG", "LARGEST_ROSTER_BYTES", "MOST_CHUNKS", "MOST_PIECES",
    "MOST_RANGES", "MOST_RUNS", "MOST_TURNS", "About", "Answer", "Ask", "Asked", "ChunkGiven", "ChunksAsked",
    "ComparisonAsked", "ComparisonGiven", "CutAt", "Given", "ObjectPiece", "Outcome", "Piece", "Recalled",
    "ReceiptAsked", "RecoveryAsked", "RecoveryGiven", "RosterAsked", "RosterGiven", "RosterPiece", "Said",
    "Standing", "range_said",
]  # fmt: skip

MOST_RUNS = 100
MOST_CHUNKS = 128
"""Of one ask: 64 MB."""
MOST_PIECES = 1_000
LARGEST_ROSTER_BYTES = 32 * 1024**2
CHUNK_TAG = "tansiq.chunk.v1"
CHUNK_PREFIX = CHUNK_TAG.encode() + b"\0"
CHUNK_HEAD_BYTES = 4 * 1024

# ---- rosters


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterAsked(Said):
    """Rosters from ``epoch`` on; of that one what comes after the first ``offset`` bytes."""

    about: ClassVar[About] = About.ROSTER
    epoch: int
    offset: int = 0

    def fields(self) -> dict[str, Any]:
        return {**self.extra, "epoch": self.epoch, "offset": self.offset}


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPiece(Piece):
    """Of the signed text of one roster."""

    epoch: int

    @property
    def name(self) -> str:
        return str(self.epoch)

    def fields(self) -> dict[str, Any]:
        return {**Piece.fields(self), "epoch": self.epoch}


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterGiven(Said):
    """Pieces in the order of epochs, all but the last of them reaching the end of their roster.

    Attributes:
        newest: highest epoch that the answering node has; lower than what was asked: it has nothing to give.
    """

    about: ClassVar[About] = About.ROSTER
    newest: int
    pieces: tuple[RosterPiece, ...] = ()

    def fields(self) -> dict[str, Any]:
        return {**self.extra, "newest": self.newest, "pieces": [piece.fields() for piece in self.pieces]}


# ---- receipts and chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptAsked(Said):
    """A receipt with the changes after ``since``, on the asking node's channel to the asked one. None answers it."""

    about: ClassVar[About] = About.RECEIPT
    lane: Lane
    incarnation: str
    since: int

    def fields(self) -> dict[str, Any]:
        return {**self.extra, "lane": self.lane.value, "incarnation": self.incarnation, "since": self.since}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunksAsked(Said):
    """Chunks of a blob: runs of their numbers, first and last, in order; ``MOST_CHUNKS`` at most in all."""

    about: ClassVar[About] = About.CHUNKS
    digest: str
    runs: tuple[tuple[int, int], ...]

    def fields(self) -> dict[str, Any]:
        return {**self.extra, "digest": self.digest, "runs": [list(run) for run in self.runs]}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkGiven(Said):
    """One chunk of a blob's ciphertext. ``data`` travels behind the body, not in it."""

    about: ClassVar[About] = About.CHUNKS
    digest: str
    index: int
    data: bytes

    def fields(self) -> dict[str, Any]:
        return {**self.extra, "digest": self.digest, "index": self.index}


# ---- recovery


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryAsked(Said):
    """What the asked node holds that concerns the asking one (section 11.1).

    Attributes:
        held: whether the asking node is held; else it asks back (sections 12 and 13).
        since: when it was restored, or began to ask.
        after: last object id that it has whole; empty at first.
        offset: how many bytes it has of the object that follows.
    """

    about: ClassVar[About] = About.RECOVERY
    held: bool
    since: datetime
    after: str = ""
    offset: int = 0

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "held": self.held,
            "since": values.write_time(self.since),
            "after": self.after,
            "offset": self.offset,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPiece(Piece):
    """Of the content of an envelope as it came: exactly what was sealed then."""

    object: str

    @property
    def name(self) -> str:
        return self.object

    def fields(self) -> dict[str, Any]:
        return {**Piece.fields(self), "object": self.object}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled(Said):
    """What recalls an object (section 12)."""

    object: str
    recall: Recall

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "object": self.object,
            "narrowed": self.recall.narrowed._asdict(),
            "left": self.recall.left._asdict(),
            "epoch": self.recall.epoch,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Said):
    """Where the two channels of a lane stand (``held.Stand``)."""

    stand: Stand

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "lane": self.stand.lane.value,
            "incarnation": self.stand.incarnation,
            "n": self.stand.n,
            "changes": self.stand.changes,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryGiven(Said):
    """A page in the order of object ids. An object's recall is on the page on which the object ends.

    Attributes:
        since, after: of the ask.
        complete: nothing comes after this page.
    """

    about: ClassVar[About] = About.RECOVERY
    since: datetime
    after: str
    pieces: tuple[ObjectPiece, ...] = ()
    recalls: tuple[Recalled, ...] = ()
    stands: tuple[Standing, ...] = ()
    complete: bool = True

    def fields(self) -> dict[str, Any]:
        return {
            **self.extra,
            "since": values.write_time(self.since),
            "after": self.after,
            "pieces": [piece.fields() for piece in self.pieces],
            "recalls": [recalled.fields() for recalled in self.recalls],
            "stands": [standing.fields() for standing in self.stands],
            "complete": self.complete,
        }


# ---- the two bodies

Asked = RosterAsked | ReceiptAsked | ChunksAsked | RecoveryAsked | ComparisonAsked
Given = RosterGiven | ChunkGiven | RecoveryGiven | ComparisonGiven


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Body):
    """A question, the same body again until it is answered."""

    asked: Asked

    def fields(self) -> dict[str, Any]:
        return {**Body.fields(self), "t": "ask", "about": self.asked.about.value, "asked": self.asked.fields()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Body):
    """Heeded by who asked ``answers``, the id of the ask, and by nobody else."""

    answers: str
    given: Given

    def fields(self) -> dict[str, Any]:
        return {
            **Body.fields(self),
            "t": "answer",
            "about": self.given.about.value,
            "answers": self.answers,
            "given": self.given.fields(),
        }

    def written(self) -> bytes:
        """The exact bytes; with a chunk: the body and the chunk, length-prefixed. Raises: ValueError, too long."""
        if not isinstance(self.given, ChunkGiven):
            return Body.written(self)
        head = canonical.write(self.fields()).encode()
        if len(head) > CHUNK_HEAD_BYTES:
            raise ValueError(f"a chunk's body of {len(head)} bytes")
        return length_prefixed(CHUNK_TAG, head, self.given.data)
