"""Asks and answers of others read (check 5.5, by section 3.6). What is read writes the same bytes again."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from tansiq.exchange import values
from tansiq.exchange.blob import CHUNK_BYTES, TAG_BYTES, chunk_count
from tansiq.exchange.body import LARGEST_BLOB_BYTES, Lane
from tansiq.exchange.canonical import BODY_LIMIT_BYTES
from tansiq.exchange.compare import LISTED, TOP, Range
from tansiq.exchange.fields import Fields, Item
from tansiq.exchange.held import MOST_COUNTED, MOST_NUMBERED, PAGE, Stand
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests import (
    CHUNK_HEAD_BYTES,
    CHUNK_PREFIX,
    LARGEST_ROSTER_BYTES,
    MOST_CHUNKS,
    MOST_PIECES,
    MOST_RANGES,
    MOST_RUNS,
    MOST_TURNS,
    About,
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
from tansiq.exchange.values import LARGEST, Unfit

_AFTER = re.compile(rf"({values.OBJECT.pattern})?")
_INCARNATION = re.compile(rf"({values.INCARNATION.pattern})?")
_LAST_CHUNK = chunk_count(LARGEST_BLOB_BYTES) - 1
_MOST_LANES = len(Lane)


def split_chunk(content: bytes) -> tuple[bytes, bytes]:
    """The body and the ciphertext of what begins with ``CHUNK_PREFIX``, by its lengths (check 5.4). Raises: Unfit."""
    parts, at = [], len(CHUNK_PREFIX)
    for longest in (CHUNK_HEAD_BYTES, CHUNK_BYTES + TAG_BYTES):
        length = int.from_bytes(content[at : at + 8])
        if length > longest or len(content) < at + 8 + length:
            raise Unfit(field="chunk", expected=f"of two parts of their lengths, at most {longest} bytes here")
        parts.append(content[at + 8 : at + 8 + length])
        at += 8 + length
    if at != len(content):
        raise Unfit(field="chunk", expected="of two parts")
    return parts[0], parts[1]


def read_request(fields: Fields, common: Mapping[str, Any], kind: str, chunk: bytes | None) -> Ask | Answer:
    """An ask or an answer, whose fields of every body are ``common``. Raises: Unfit."""
    about = fields.one_of("about", About)
    if kind == "ask":
        if chunk is not None:
            raise Unfit(field="body.t", expected="answer, where a chunk comes with it")
        asked = _asked(about, Fields(fields.any("asked"), f"{about}.asked"), common)
        return Ask(**common, asked=asked, extra=fields.left())
    given = _given(about, Fields(fields.any("given"), f"{about}.given"), chunk)
    return Answer(**common, answers=fields.form("answers", values.UUID7), given=given, extra=fields.left())


def _asked(about: About, fields: Fields, common: Mapping[str, Any]) -> Asked:
    match about:
        case About.ROSTER:
            return RosterAsked(
                epoch=fields.whole("epoch", least=1),
                offset=fields.whole("offset", least=0, most=LARGEST_ROSTER_BYTES),
                extra=fields.left(),
            )
        case About.RECEIPT:
            return ReceiptAsked(
                lane=fields.one_of("lane", Lane),
                incarnation=fields.form("incarnation", values.INCARNATION),
                since=fields.whole("since", least=0),
                extra=fields.left(),
            )
        case About.CHUNKS:
            return _chunks_asked(fields)
        case About.RECOVERY:
            return RecoveryAsked(
                held=fields.truth("held"),
                since=fields.moment("since"),
                after=fields.form("after", _AFTER),
                offset=fields.whole("offset", least=0, most=BODY_LIMIT_BYTES),
                extra=fields.left(),
            )
        case About.COMPARISON:
            return _comparison_asked(fields, common)


def _given(about: About, fields: Fields, chunk: bytes | None) -> Given:
    if (chunk is None) is (about is About.CHUNKS):
        raise Unfit(field="answer", expected="with a chunk if and only if it is about chunks")
    match about:
        case About.ROSTER:
            return _roster_given(fields)
        case About.CHUNKS:
            return ChunkGiven(
                digest=fields.form("digest", values.DIGEST),
                index=fields.whole("index", least=0, most=_LAST_CHUNK),
                data=chunk or b"",
                extra=fields.left(),
            )
        case About.RECOVERY:
            return _recovery_given(fields)
        case About.COMPARISON:
            return ComparisonGiven(
                comparison=fields.form("comparison", values.UUID7),
                turn=fields.whole("turn", least=1, most=MOST_TURNS),
                cut=_of_lanes(fields.items("cut", _cut, most=_MOST_LANES), lambda said: said.lane),
                ranges=fields.items("ranges", _range, most=MOST_RANGES),
                until=_bound(fields.any("until")),
                extra=fields.left(),
            )
        case About.RECEIPT:
            raise Unfit(field="answer.about", expected="what is answered by one")


def _chunks_asked(fields: Fields) -> ChunksAsked:
    digest = fields.form("digest", values.DIGEST)
    runs = fields.items("runs", _run, most=MOST_RUNS)
    if not runs or any(before[1] >= after[0] for before, after in pairwise(runs)):
        raise Unfit(field="chunks.asked.runs", expected="in order, at least one")
    if sum(last - first + 1 for first, last in runs) > MOST_CHUNKS:
        raise Unfit(field="chunks.asked.runs", expected=f"of at most {MOST_CHUNKS} chunks")
    return ChunksAsked(digest=digest, runs=runs, extra=fields.left())


def _run(said: Any) -> tuple[int, int]:
    if type(said) is not list or len(said) != 2 or any(type(edge) is not int for edge in said):
        raise Unfit(field="chunks.asked.runs", expected="pairs of numbers")
    first, last = said
    if not 0 <= first <= last <= _LAST_CHUNK:
        raise Unfit(field="chunks.asked.runs", expected="pairs of numbers of chunks in order")
    return first, last


def _roster_given(fields: Fields) -> RosterGiven:
    newest = fields.whole("newest", least=1)
    pieces = fields.items("pieces", _roster_piece, most=MOST_PIECES)
    for before, after in pairwise(pieces):
        if not before.is_last or after.offset or after.epoch != before.epoch + 1:
            raise Unfit(field="roster.given.pieces", expected="one whole roster after another")
    if pieces and pieces[-1].epoch > newest:
        raise Unfit(field="roster.given.newest", expected="the highest epoch")
    return RosterGiven(newest=newest, pieces=pieces, extra=fields.left())


def _roster_piece(said: Any) -> RosterPiece:
    fields = Fields(said, "roster.given.pieces")
    epoch = fields.whole("epoch", least=1)
    return RosterPiece(epoch=epoch, **_piece(fields, LARGEST_ROSTER_BYTES))


def _object_piece(said: Any) -> ObjectPiece:
    fields = Fields(said, "recovery.given.pieces")
    name = fields.form("object", values.OBJECT)
    return ObjectPiece(object=name, **_piece(fields, BODY_LIMIT_BYTES))


def _piece(fields: Fields, largest: int) -> dict[str, Any]:
    size_bytes = fields.whole("size_bytes", least=1, most=largest)
    offset = fields.whole("offset", least=0, most=size_bytes)
    data = fields.bytes("bytes", longest=BODY_LIMIT_BYTES)
    if not 0 < len(data) <= size_bytes - offset:
        raise Unfit(field="piece.bytes", expected="some, within the text")
    digest = fields.form("digest", values.DIGEST)
    return {"digest": digest, "size_bytes": size_bytes, "offset": offset, "data": data, "extra": fields.left()}


def _recovery_given(fields: Fields) -> RecoveryGiven:
    pieces = fields.items("pieces", _object_piece, most=PAGE)
    recalls = fields.items("recalls", _recalled, most=PAGE)
    after = fields.form("after", _AFTER)
    for names in ([piece.object for piece in pieces], [recalled.object for recalled in recalls]):
        if any(before >= later for before, later in zip([after, *names], names, strict=False)):
            raise Unfit(field="recovery.given", expected="in the order of object ids, after those of before")
    if any(not piece.is_last for piece in pieces[:-1]):
        raise Unfit(field="recovery.given.pieces", expected="whole, but for the last")
    complete = fields.truth("complete")
    open_end = pieces[-1] if pieces and not pieces[-1].is_last else None
    if open_end and (complete or any(recalled.object >= open_end.object for recalled in recalls)):
        raise Unfit(field="recovery.given", expected="to end where a piece is not whole")
    return RecoveryGiven(
        since=fields.moment("since"),
        after=after,
        pieces=pieces,
        recalls=recalls,
        stands=_of_lanes(fields.items("stands", _standing, most=_MOST_LANES), lambda said: said.stand.lane),
        complete=complete,
        extra=fields.left(),
    )


def _recalled(said: Any) -> Recalled:
    fields = Fields(said, "recovery.given.recalls")
    recall = Recall(fields.version("narrowed"), fields.version("left"), fields.whole("epoch", least=0))
    return Recalled(object=fields.form("object", values.OBJECT), recall=recall, extra=fields.left())


def _standing(said: Any) -> Standing:
    fields = Fields(said, "recovery.given.stands")
    stand = Stand(
        lane=fields.one_of("lane", Lane),
        incarnation=fields.form("incarnation", _INCARNATION),
        n=fields.whole("n", least=0, most=MOST_COUNTED),
        changes=fields.whole("changes", least=0, most=MOST_COUNTED),
    )
    if stand.incarnation and values.incarnation_number(stand.incarnation) > MOST_NUMBERED:
        raise Unfit(field="recovery.given.stands.incarnation", expected=f"of a number up to {MOST_NUMBERED}")
    return Standing(stand=stand, extra=fields.left())


def _comparison_asked(fields: Fields, common: Mapping[str, Any]) -> ComparisonAsked:
    said = ComparisonAsked(
        comparison=fields.form("comparison", values.UUID7),
        of=fields.form("of", values.CODE),
        turn=fields.whole("turn", least=0, most=MOST_TURNS),
        cut=_of_lanes(fields.items("cut", _cut, most=_MOST_LANES), lambda said: said.lane),
        ranges=fields.items("ranges", _range, most=MOST_RANGES),
        outcome=_outcome(fields.any("outcome")),
        extra=fields.left(),
    )
    if said.of != common["sender" if said.turn else "recipient"]:
        raise Unfit(field="comparison.asked.of", expected="who opens the comparison")
    if bool(said.ranges) is not (said.turn > 0 and said.outcome is None) or (said.outcome and not said.turn):
        raise Unfit(field="comparison.asked.ranges", expected="there in all turns but 0 and the last")
    return said


def _outcome(said: Any) -> Outcome | None:
    if said is None:
        return None
    fields = Fields(said, "comparison.asked.outcome")
    differences = fields.whole("differences", least=0)
    return Outcome(differences=differences, in_flight=fields.whole("in_flight", least=0), extra=fields.left())


def _cut(said: Any) -> CutAt:
    fields = Fields(said, "comparison.cut")
    return CutAt(
        lane=fields.one_of("lane", Lane),
        incarnation=fields.form("incarnation", values.INCARNATION),
        position=fields.whole("position", least=0),
        extra=fields.left(),
    )


def _of_lanes(said: tuple[Item, ...], lane_of: Callable[[Item], Lane]) -> tuple[Item, ...]:
    """What is said once of a lane. Raises: Unfit."""
    if len({lane_of(one) for one in said}) != len(said):
        raise Unfit(field="lane", expected="named once")
    return said


def _range(said: Any) -> Range:
    if type(said) is not list or len(said) != 4:
        raise Unfit(field="comparison.ranges", expected="lists of four")
    low, high = _bound(said[0]), _bound(said[1])
    if type(said[2]) is list:
        return _listed(low, high, said[2], said[3])
    if type(said[3]) is not int or not 0 <= said[3] <= LARGEST:
        raise Unfit(field="comparison.ranges", expected="with a number of items")
    return Range(low, high, int.from_bytes(_word(said[2])), said[3])


def _listed(low: int, high: int, pairs: list[Any], reply: Any) -> Range:
    if type(reply) is not bool or len(pairs) > LISTED:
        raise Unfit(field="comparison.ranges", expected=f"lists of at most {LISTED}, and whether a reply is wanted")
    if any(type(pair) is not list or len(pair) != 2 for pair in pairs):
        raise Unfit(field="comparison.ranges", expected="lists of pairs")
    items = tuple((_word(key), _word(leaf)) for key, leaf in pairs)
    total = sum(int.from_bytes(leaf) for _key, leaf in items) % TOP
    return Range(low, high, total, len(items), items, reply)


def _bound(said: Any) -> int:
    return TOP if said == "" else int.from_bytes(_word(said))


def _word(said: Any) -> bytes:
    """32 bytes. Raises: Unfit."""
    if type(said) is not str or len(said) != 43:
        raise Unfit(field="comparison", expected="32 bytes")
    return values.read_bytes(said)
