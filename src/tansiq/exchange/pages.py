"""What one answer does not hold, cut into pieces and joined again: rosters and recovered objects (section 3.6).

A text is cut by bytes. A piece names the digest of its whole text, so that a text that changed between two pieces is
begun again and never mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from tansiq.exchange import canonical
from tansiq.exchange.held import PAGE, Stand
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests import (
    MOST_PIECES,
    ObjectPiece,
    Piece,
    Recalled,
    RecoveryAsked,
    RecoveryGiven,
    RosterAsked,
    RosterGiven,
    RosterPiece,
    Standing,
)
from tansiq.exchange.values import Unfit, digest

ROOM_BYTES = 480 * 1024
"""Of what an answer gives; the rest of its body has 32 kB."""
_LEAST_BYTES = 1024
"""A piece is not begun where less than this is left."""

AnyPiece = TypeVar("AnyPiece", bound=Piece)


@dataclass(frozen=True, slots=True)
class Partial:
    """What came so far of the text that is not whole yet."""

    name: str
    digest: str
    parts: tuple[bytes, ...]

    @property
    def size_bytes(self) -> int:
        """What came, and where the next piece has to begin."""
        return sum(map(len, self.parts))

    def goes_on_with(self, piece: Piece) -> bool:
        """Whether the piece is of the same text, and the next of it."""
        return (self.name, self.digest, self.size_bytes) == (piece.name, piece.digest, piece.offset)


def roster_page(
    asked: RosterAsked, *, newest: int, text_of: Callable[[int], bytes], room_bytes: int = ROOM_BYTES
) -> RosterGiven:
    """Rosters from the one that was asked for on, as far as one answer holds them.

    Args:
        newest: the highest epoch here; every lower one is kept.
        text_of: the signed text of the roster of an epoch, from 1 to ``newest``.
    """
    pieces: list[RosterPiece] = []
    epoch, offset = asked.epoch, asked.offset
    while epoch <= newest and len(pieces) < MOST_PIECES:
        text = text_of(epoch)
        piece = _cut(RosterPiece, text, offset, room_bytes, epoch=epoch)
        if piece is None:
            break
        pieces.append(piece)
        room_bytes -= _size(piece.fields())
        if not piece.is_last:
            break
        epoch, offset = epoch + 1, 0
    return RosterGiven(newest=newest, pieces=tuple(pieces))


@dataclass(frozen=True, slots=True)
class Concerned:
    """An object that the asking node is told of: an envelope of it as it came, a recall, or both."""

    object: str
    envelope: bytes | None = None
    recall: Recall | None = None


def recovery_page(
    asked: RecoveryAsked, objects: Iterable[Concerned], *, stands: Iterable[Stand], room_bytes: int = ROOM_BYTES
) -> RecoveryGiven:
    """The next page for a node that recovers.

    Args:
        objects: those with an id above ``asked.after``, in the order of ids; taken one by one, no further than the page
            reaches.
    """
    pieces: list[ObjectPiece] = []
    recalls: list[Recalled] = []
    offset, complete = asked.offset, True
    for number, concerned in enumerate(objects):
        recalled = Recalled(object=concerned.object, recall=concerned.recall) if concerned.recall else None
        room_bytes -= _size(recalled.fields()) if recalled else 0
        piece = None
        if concerned.envelope is not None:
            piece = _cut(ObjectPiece, concerned.envelope, offset, room_bytes, object=concerned.object)
        if number == PAGE or room_bytes < 0 or (concerned.envelope is not None and piece is None):
            complete = False
            break
        offset = 0
        if piece is not None:
            pieces.append(piece)
            room_bytes -= _size(piece.fields())
            if not piece.is_last:
                complete = False
                break
        if recalled:
            recalls.append(recalled)
    return RecoveryGiven(
        since=asked.since,
        after=asked.after,
        pieces=tuple(pieces),
        recalls=tuple(recalls),
        stands=tuple(Standing(stand=stand) for stand in stands),
        complete=complete,
    )


@dataclass(frozen=True, slots=True)
class Joined:
    """What pieces made.

    Attributes:
        whole: names and texts that are whole now.
        partial: what is not, to be gone on with.
        lost: a piece did not go on where the text before it ended: it is to be asked for from its beginning.
    """

    whole: tuple[tuple[str, bytes], ...] = ()
    partial: Partial | None = None
    lost: bool = False


def joined(partial: Partial | None, pieces: Iterable[Piece]) -> Joined:
    """``pieces`` behind what came before. Raises: Unfit, where a whole text has another digest than its pieces said."""
    whole: list[tuple[str, bytes]] = []
    for piece in pieces:
        if piece.offset == 0:
            partial = Partial(piece.name, piece.digest, ())
        if partial is None or not partial.goes_on_with(piece):
            return Joined(tuple(whole), None, lost=True)
        partial = Partial(piece.name, piece.digest, (*partial.parts, piece.data))
        if piece.is_last:
            text = b"".join(partial.parts)
            if digest(text) != piece.digest:
                raise Unfit(field="piece.digest", expected="that of the text")
            whole.append((piece.name, text))
            partial = None
    return Joined(tuple(whole), partial)


def next_roster(asked: RosterAsked, given: RosterGiven, found: Joined) -> RosterAsked | None:
    """What to ask after a page of rosters; None where the answering node has no more, or gave what was not asked."""
    epoch = int(found.whole[-1][0]) + 1 if found.whole else asked.epoch
    if epoch > given.newest or not given.pieces or given.pieces[0].epoch != asked.epoch:
        return None
    return RosterAsked(epoch=epoch, offset=found.partial.size_bytes if found.partial else 0)


def recalls_of(given: RecoveryGiven, found: Joined) -> dict[str, Recall]:
    """Object -> recall, of those whose text has ended with this page, and those that have none."""
    names = {name for name, _text in found.whole}
    end = next((piece.object for piece in given.pieces if piece.object not in names), None)
    return {said.object: said.recall for said in given.recalls if end is None or said.object < end}


def next_recovery(asked: RecoveryAsked, given: RecoveryGiven, found: Joined) -> RecoveryAsked | None:
    """What to ask after a page; None after the last."""
    if given.complete and not found.lost:
        return None
    after = max([*(name for name, _text in found.whole), *recalls_of(given, found)], default=asked.after)
    offset = found.partial.size_bytes if found.partial else 0
    return RecoveryAsked(held=asked.held, since=asked.since, after=after, offset=offset)


def _cut(kind: type[AnyPiece], text: bytes, offset: int, room_bytes: int, **said: Any) -> AnyPiece | None:
    """As much of ``text`` as the room holds; from its beginning where ``offset`` lies beyond it. None: no room."""
    offset = offset if offset < len(text) else 0
    bare = kind(digest=digest(text), size_bytes=len(text), offset=offset, data=b"", **said)
    room_bytes -= _size(bare.fields())
    if room_bytes < _LEAST_BYTES:
        return None
    data = text[offset : offset + room_bytes * 3 // 4]
    return kind(digest=bare.digest, size_bytes=len(text), offset=offset, data=data, **said)


def _size(said: dict[str, Any]) -> int:
    """Bytes of it in a list of a body."""
    return len(canonical.write(said)) + 1
