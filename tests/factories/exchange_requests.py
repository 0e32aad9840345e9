"""One ask and one answer of each subject, with something in every field."""

from __future__ import annotations

from factories import exchange as make
from tansiq.exchange.body import Lane, Version
from tansiq.exchange.compare import TOP, Range
from tansiq.exchange.held import Stand
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests import (
    Answer,
    Ask,
    Asked,
    ChunkGiven,
    ChunksAsked,
    ComparisonAsked,
    ComparisonGiven,
    CutAt,
    Given,
    ObjectPiece,
    Outcome,
    Recalled,
    ReceiptAsked,
    RecoveryAsked,
    RecoveryGiven,
    RosterAsked,
    RosterGiven,
    RosterPiece,
    Standing,
)
from tansiq.exchange.values import digest, new_id, whole_milliseconds

SINCE = whole_milliseconds(make.now())
COMPARISON = new_id(SINCE)
DIGEST = "ef" * 32
KEYS = tuple(bytes(31) + bytes([number]) for number in range(1, 4))
LISTED = Range(0, 1 << 200, 3, 3, tuple((key, bytes(31) + b"\1") for key in KEYS), reply=True)
SUMMED = Range(1 << 200, TOP, 12345, 678)
CUT = (CutAt(lane=Lane.NORMAL, incarnation=make.INCARNATION, position=17, extra={"x": 1}),)


def roster_piece(text: bytes, epoch: int, *, start: int = 0, end: int | None = None) -> RosterPiece:
    return RosterPiece(
        digest=digest(text), size_bytes=len(text), offset=start, data=text[start:end], epoch=epoch, extra={"x": None}
    )


def object_piece(text: bytes, name: str, *, start: int = 0, end: int | None = None) -> ObjectPiece:
    return ObjectPiece(digest=digest(text), size_bytes=len(text), offset=start, data=text[start:end], object=name)


def asked() -> dict[str, Asked]:
    """From XA to XB."""
    return {
        "roster": RosterAsked(epoch=8, offset=100, extra={"x": 1}),
        "receipt": ReceiptAsked(lane=Lane.BULK, incarnation=make.INCARNATION, since=12),
        "chunks": ChunksAsked(digest=DIGEST, runs=((0, 0), (3, 90)), extra={"x": []}),
        "recovery": RecoveryAsked(held=True, since=SINCE, after="XA:case.7", offset=3),
        "comparison": ComparisonAsked(
            comparison=COMPARISON, of="XA", turn=2, cut=CUT, ranges=(LISTED, SUMMED), extra={"x": {}}
        ),
        "comparison wished": ComparisonAsked(comparison=COMPARISON, of="XB", turn=0),
        "comparison over": ComparisonAsked(
            comparison=COMPARISON, of="XA", turn=3, outcome=Outcome(differences=2, in_flight=1, extra={"x": 1})
        ),
    }


def given() -> dict[str, Given]:
    """From XA to XB."""
    return {
        "roster": RosterGiven(
            newest=9, pieces=(roster_piece(b"the eighth", 8, start=4), roster_piece(b"the ninth", 9, end=3))
        ),
        "roster, none": RosterGiven(newest=7),
        "chunks": ChunkGiven(digest=DIGEST, index=4, data=b"\x00\xffciphertext", extra={"x": 1}),
        "recovery": RecoveryGiven(
            since=SINCE,
            after="XB:a",
            pieces=(object_piece(b"{}", "XB:b"), object_piece(b"[1,2]", "XB:d", end=2)),
            recalls=(Recalled(object="XB:c", recall=Recall(Version(1, 2), Version(1, 1), 7), extra={"x": 1}),),
            stands=(Standing(stand=Stand(Lane.URGENT, make.INCARNATION, 5, 6)), Standing(stand=Stand(Lane.BULK))),
            complete=False,
        ),
        "recovery, none": RecoveryGiven(since=SINCE, after=""),
        "comparison": ComparisonGiven(
            comparison=COMPARISON, turn=2, cut=CUT, ranges=(LISTED,), until=1 << 255, extra={"x": 1}
        ),
        "comparison, equal": ComparisonGiven(comparison=COMPARISON, turn=1),
    }


def asks() -> dict[str, Ask]:
    return {name: make.ask(one, extra={"x-later": [1]}) for name, one in asked().items()}


def answers() -> dict[str, Answer]:
    return {name: make.answer(one, extra={"x-later": [1]}) for name, one in given().items()}


def bodies() -> list[Ask | Answer]:
    return [*asks().values(), *answers().values()]
