"""Laws of asks and answers: what is written is read, what is cut is joined, and turns find what one message would."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import exchange as make
from factories import exchange_requests as examples
from tansiq.exchange import canonical, compare, pages, reading, turns
from tansiq.exchange.blob import CHUNK_BYTES, TAG_BYTES
from tansiq.exchange.body import Lane, Version
from tansiq.exchange.compare import TOP, Differences, Items, Message, Range
from tansiq.exchange.held import Stand
from tansiq.exchange.pages import Concerned
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests import (
    MOST_TURNS,
    Answer,
    Ask,
    Asked,
    ChunkGiven,
    ChunksAsked,
    ComparisonAsked,
    ComparisonGiven,
    CutAt,
    Given,
    Outcome,
    ReceiptAsked,
    RecoveryAsked,
    RecoveryGiven,
    RosterAsked,
    RosterGiven,
)
from tansiq.exchange.values import LARGEST, Unfit, digest, whole_milliseconds

names = st.from_regex(r"X[A-Z]:[a-z0-9._-]{1,20}", fullmatch=True)
digests = st.binary(max_size=9).map(digest)
wholes = st.integers(0, LARGEST)
versions = st.builds(Version, wholes, wholes)
recalls = st.builds(Recall, versions, versions, wholes)
extras = st.dictionaries(st.text(max_size=5).map("x-".__add__), wholes | st.text(max_size=9), max_size=2)
moments = st.datetimes(timezones=st.just(make.now().tzinfo)).map(whole_milliseconds)  # type: ignore[arg-type]
words = st.binary(min_size=32, max_size=32)
cuts = st.builds(
    CutAt, lane=st.sampled_from(Lane), incarnation=st.just(make.INCARNATION), position=wholes, extra=extras
)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[Range, ...]:
    """In order, some with lists."""
    bounds = sorted(draw(st.sets(st.integers(0, TOP), min_size=2, max_size=8)))
    made = []
    for low, high in pairwise(bounds):
        if draw(st.booleans()):
            made.append(Range(low, high, draw(st.integers(0, TOP - 1)), draw(wholes)))
            continue
        keys = sorted(draw(st.sets(st.integers(low, high - 1), max_size=3)))
        items = tuple((key.to_bytes(32), draw(words)) for key in keys)
        total = sum(int.from_bytes(leaf) for _key, leaf in items) % TOP
        made.append(Range(low, high, total, len(items), items, draw(st.booleans())))
    return tuple(made)


@st.composite
def runs(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    edges = sorted(draw(st.sets(st.integers(0, 127), min_size=1, max_size=20)))
    edges = edges if len(edges) % 2 == 0 else [*edges, edges[-1] + 1]
    return tuple(zip(edges[::2], edges[1::2], strict=True))


asked = st.one_of(
    st.builds(RosterAsked, epoch=st.integers(1, LARGEST), offset=st.integers(0, 32 * 1024**2), extra=extras),
    st.builds(
        ReceiptAsked, lane=st.sampled_from(Lane), incarnation=st.just(make.INCARNATION), since=wholes, extra=extras
    ),
    st.builds(ChunksAsked, digest=digests, runs=runs(), extra=extras),
    st.builds(
        RecoveryAsked, held=st.booleans(), since=moments, after=names, offset=st.integers(0, 512 * 1024), extra=extras
    ),
    st.builds(
        ComparisonAsked,
        comparison=st.just(examples.COMPARISON),
        of=st.just("XA"),
        turn=st.integers(1, MOST_TURNS),
        cut=st.lists(cuts, max_size=3, unique_by=lambda place: place.lane).map(tuple),
        ranges=ranges(),
        extra=extras,
    ),
    st.builds(
        ComparisonAsked,
        comparison=st.just(examples.COMPARISON),
        of=st.just("XA"),
        turn=st.integers(1, MOST_TURNS),
        outcome=st.builds(Outcome, differences=wholes, in_flight=wholes, extra=extras),
    ),
)
answers = st.one_of(
    st.builds(ChunkGiven, digest=digests, index=st.integers(0, 4095), data=st.binary(max_size=99), extra=extras),
    st.builds(
        ComparisonGiven,
        comparison=st.just(examples.COMPARISON),
        turn=st.integers(1, MOST_TURNS),
        ranges=ranges(),
        until=st.integers(0, TOP),
        extra=extras,
    ),
)


@given(asked)
def test_ask_that_is_written_is_read(one: Asked) -> None:
    body = replace(make.ask(one), sent_at=examples.SINCE)

    assert reading.read_head(*reading.read_content(body.written())) == body


@given(answers)
def test_answer_that_is_written_is_read(one: Given) -> None:
    body = replace(make.answer(one), sent_at=examples.SINCE)

    assert reading.read_head(*reading.read_content(body.written())) == body


# ---- pages


rooms = st.integers(1600, 9000)


@given(st.lists(st.binary(min_size=1, max_size=9000), min_size=1, max_size=8), st.integers(1, 8), rooms)
def test_rosters_cut_into_pages_are_joined(texts: list[bytes], first: int, room: int) -> None:
    ask: RosterAsked | None = RosterAsked(epoch=min(first, len(texts)))
    partial, whole = None, []
    while ask is not None:
        page = pages.roster_page(ask, newest=len(texts), text_of=lambda epoch: texts[epoch - 1], room_bytes=room)
        assert _reread(page) == page
        assert page.pieces
        found = pages.joined(partial, page.pieces)
        assert not found.lost
        whole += found.whole
        partial, ask = found.partial, pages.next_roster(ask, page, found)

    assert whole == [(str(epoch), texts[epoch - 1]) for epoch in range(min(first, len(texts)), len(texts) + 1)]


def test_roster_page_of_what_is_not_here_says_what_is() -> None:
    page = pages.roster_page(RosterAsked(epoch=9), newest=8, text_of=lambda epoch: b"never read")

    assert page == RosterGiven(newest=8)
    assert pages.next_roster(RosterAsked(epoch=9), page, pages.joined(None, ())) is None


def test_next_roster_after_what_was_not_asked_is_none() -> None:
    page = RosterGiven(newest=99, pieces=(examples.roster_piece(b"text", 2),))

    assert pages.next_roster(RosterAsked(epoch=1), page, pages.joined(None, page.pieces)) is None


concerned = st.dictionaries(
    names,
    st.tuples(st.none() | st.binary(min_size=1, max_size=9000), st.none() | recalls).filter(any),
    max_size=8,
)
stands = (Stand(Lane.URGENT, make.INCARNATION, 5, 6),)


@given(concerned, rooms)
def test_recovery_in_pages_is_everything_in_order(
    objects: dict[str, tuple[bytes | None, Recall | None]], room: int
) -> None:
    texts, recalled = recovered(lambda number: objects, room)

    assert texts == sorted((name, text) for name, (text, _recall) in objects.items() if text is not None)
    assert recalled == {name: recall for name, (_text, recall) in objects.items() if recall is not None}


@given(concerned, concerned, st.integers(0, 6), rooms)
def test_recovery_of_what_changes_meanwhile_never_mixes_two_texts(
    before: dict[str, tuple[bytes | None, Recall | None]],
    after: dict[str, tuple[bytes | None, Recall | None]],
    turn: int,
    room: int,
) -> None:
    known = {(name, text) for side in (before, after) for name, (text, _recall) in side.items()}

    texts, _recalled = recovered(lambda number: before if number < turn else {**before, **after}, room)

    assert set(texts) <= known
    assert len({name for name, _text in texts}) == len(texts)
    lasting = {name: text for name, (text, _recall) in before.items() if name not in after and text is not None}
    assert lasting.items() <= dict(texts).items()


def recovered(
    objects_at: Callable[[int], Mapping[str, tuple[bytes | None, Recall | None]]], room: int
) -> tuple[list[tuple[str, bytes]], dict[str, Recall]]:
    """What a node asks together, in turns from 0."""
    ask: RecoveryAsked | None = RecoveryAsked(held=True, since=examples.SINCE)
    partial, number = None, 0
    texts: list[tuple[str, bytes]] = []
    recalled: dict[str, Recall] = {}
    while ask is not None:
        objects = objects_at(number)
        following = [Concerned(name, *said) for name, said in sorted(objects.items()) if name > ask.after]
        page = pages.recovery_page(ask, following, stands=stands, room_bytes=room)
        assert _reread(page) == page
        found = pages.joined(partial, page.pieces)
        texts += found.whole
        recalled |= pages.recalls_of(page, found)
        assert tuple(standing.stand for standing in page.stands) == stands
        ask, partial, number = pages.next_recovery(ask, page, found), found.partial, number + 1
        assert number < 100
    return texts, recalled


def test_recovery_page_holds_a_thousand_objects_and_says_that_more_follow() -> None:
    objects = [Concerned(f"XA:{number:05}", recall=Recall(epoch=1)) for number in range(1001)]

    page = pages.recovery_page(RecoveryAsked(held=True, since=examples.SINCE), iter(objects), stands=())

    assert (len(page.recalls), page.complete) == (1000, False)
    assert len(make.answer(page).written()) < 512 * 1024


def test_largest_envelope_comes_back_in_two_pages() -> None:
    text = random.Random(1).randbytes(512 * 1024)

    texts, _recalls = recovered(
        lambda number: {"XA:a": (text, Recall(epoch=1)), "XA:b": (b"{}", None)}, pages.ROOM_BYTES
    )

    assert texts == [("XA:a", text), ("XA:b", b"{}")]


def test_pieces_of_another_text_than_they_say_are_unfit() -> None:
    piece = replace(examples.roster_piece(b"text", 1), digest="00" * 32)

    with pytest.raises(Unfit):
        pages.joined(None, [piece])


@pytest.mark.parametrize("given", [examples.given()["recovery"], examples.given()["recovery, none"]])
def test_recovered_page_holds_back_the_recall_of_what_is_not_whole(given: RecoveryGiven) -> None:
    lost = pages.joined(None, [replace(piece, offset=1) for piece in given.pieces])

    following = pages.next_recovery(RecoveryAsked(held=True, since=given.since, after=given.after), given, lost)

    assert (pages.recalls_of(given, lost), following is not None) == ({}, bool(given.pieces))


def _reread(page: Given) -> Given:
    body = replace(make.answer(page), sent_at=examples.SINCE)
    head = reading.read_head(*reading.read_content(body.written()))
    return head.given  # type: ignore[union-attr]


# ---- turns of a comparison

small = st.integers(0, 255).map(lambda number: bytes(31) + bytes([number]))
leaves = st.binary(min_size=1, max_size=1).map(lambda one: one * 32)
sides = st.dictionaries(small | words, leaves, max_size=150)


def differences(mine: Mapping[bytes, bytes], theirs: Mapping[bytes, bytes]) -> Differences:
    return Differences(
        frozenset(theirs.keys() - mine.keys()),
        frozenset(mine.keys() - theirs.keys()),
        frozenset(key for key in mine.keys() & theirs.keys() if mine[key] != theirs[key]),
    )


def compared(
    mine: Mapping[bytes, bytes], theirs: Mapping[bytes, bytes], room: int = turns.ROOM_BYTES
) -> tuple[Differences, int, int]:
    """What the opening side found, the turns that it took, and the bytes of all bodies."""
    here, there = Items(mine.items()), Items(theirs.items())
    comparing = turns.opened(here, comparison=examples.COMPARISON, of="XA", cut=examples.CUT)
    size_bytes = 0
    while not comparing.is_over:
        ask = make.ask(comparing.ask()).written()
        said = reading.read_head(*reading.read_content(ask)).asked  # type: ignore[union-attr]
        assert isinstance(said, ComparisonAsked)
        answer = make.answer(
            turns.answered(there, said, cut=(), room_bytes=room), sender="XB", recipient="XA"
        ).written()
        given = reading.read_head(*reading.read_content(answer)).given  # type: ignore[union-attr]
        assert isinstance(given, ComparisonGiven)
        comparing = turns.heard(comparing, here, given, room_bytes=room)
        size_bytes += len(ask) + len(answer)
        assert comparing.turn < 500
    return comparing.found, comparing.turn - 1, size_bytes


@settings(deadline=None)
@given(sides, sides, sides, st.sampled_from([100, 400, 4000, turns.ROOM_BYTES]))
def test_turns_find_exactly_the_differences_however_small_they_are(
    common: dict[bytes, bytes], here: dict[bytes, bytes], there: dict[bytes, bytes], room: int
) -> None:
    mine, theirs = common | here, common | there

    found, _turns, _size_bytes = compared(mine, theirs, room)

    assert found == differences(mine, theirs)


@pytest.mark.parametrize(("here", "there"), [(0, 20_000), (20_000, 0), (20_000, 20_000)])
def test_turns_between_sides_that_have_nothing_in_common_are_bodies(here: int, there: int) -> None:
    chance = random.Random(3)
    mine = {chance.randbytes(32): chance.randbytes(32) for _ in range(here)}
    theirs = {chance.randbytes(32): chance.randbytes(32) for _ in range(there)}

    found, number, size_bytes = compared(mine, theirs)

    assert found == differences(mine, theirs)
    assert size_bytes < 140 * (here + there) + 10_000
    assert number < 20


def test_turns_of_equal_sides_are_one() -> None:
    base = {random.Random(4).randbytes(32): bytes(32)}

    found, number, size_bytes = compared(base, base)

    assert (found, number) == (Differences(), 1)
    assert size_bytes < 2000


def test_heard_answer_to_another_turn_or_comparison_changes_nothing() -> None:
    items = Items({bytes(32): bytes(32)}.items())
    comparing = turns.opened(items, comparison=examples.COMPARISON, of="XA", cut=())
    given = turns.answered(Items([]), comparing.ask(), cut=())

    assert turns.heard(comparing, items, replace(given, turn=2)) is comparing
    assert turns.heard(comparing, items, replace(given, comparison="0")) is comparing
    over = turns.heard(comparing, items, given)
    assert over.is_over
    assert turns.heard(over, items, replace(given, turn=2)) is over
    assert over.last(differences=1, in_flight=0).outcome == Outcome(differences=1)
    with pytest.raises(ValueError, match="nothing is left"):
        over.ask()


@pytest.mark.parametrize(
    "wrong",
    [
        {"until": 0},
        {"ranges": (Range(0, 10, 1, 1), Range(5, 20, 1, 1))},
        {"ranges": (Range(0, 10, 1, 1),), "until": 5},
        {"ranges": (Range(0, 10, 0, 0, ((bytes(31) + b"\x0b", bytes(32)),), reply=False),)},
        {"ranges": (Range(0, 10, 0, 0, (), reply=True),)},
    ],
)
def test_heard_answer_that_leads_nowhere_ends_the_comparison(wrong: dict[str, object]) -> None:
    comparing = turns.opened(Items([]), comparison=examples.COMPARISON, of="XA", cut=())
    given = ComparisonGiven(comparison=examples.COMPARISON, turn=1)

    with pytest.raises(Unfit):
        turns.heard(comparing, Items([]), replace(given, **wrong))  # type: ignore[arg-type]


def test_heard_answer_beyond_what_was_asked_ends_the_comparison() -> None:
    keys = [number.to_bytes(32) for number in range(100)]
    items = Items((key, key) for key in keys)
    comparing = turns.opened(items, comparison=examples.COMPARISON, of="XA", cut=())
    comparing = replace(
        comparing,
        asked=(
            Range(0, 50, 1, 50),
            Range(60, 70, 1, 10, ()),
        ),
    )
    given = ComparisonGiven(comparison=examples.COMPARISON, turn=1)

    for one in (
        Range(50, 60, 1, 1),
        Range(40, 55, 1, 1),
        Range(70, 80, 1, 1),
        Range(60, 70, 1, 1),
        Range(60, 70, 0, 0, (), reply=True),
    ):
        with pytest.raises(Unfit):
            turns.heard(comparing, items, replace(given, ranges=(one,)))
    assert turns.heard(comparing, items, replace(given, ranges=(Range(60, 70, 0, 0, (), reply=False),))).found.extra


def test_turns_beyond_the_most_end_the_comparison() -> None:
    keys = [number.to_bytes(32) for number in range(100)]
    items = Items((key, key) for key in keys)
    comparing = replace(turns.opened(items, comparison=examples.COMPARISON, of="XA", cut=()), turn=MOST_TURNS)
    same = ComparisonGiven(comparison=examples.COMPARISON, turn=MOST_TURNS, ranges=(Range(0, TOP, 7, 7),))

    with pytest.raises(Unfit):
        turns.heard(comparing, items, same)


def test_answered_ranges_out_of_order_end_the_comparison() -> None:
    ask = ComparisonAsked(
        comparison=examples.COMPARISON, of="XA", turn=1, ranges=(Range(5, 9, 1, 1), Range(0, 4, 1, 1))
    )

    with pytest.raises(Unfit):
        turns.answered(Items([]), ask, cut=())


def test_reply_of_one_range_is_what_a_whole_answer_says() -> None:
    chance = random.Random(5)
    items = Items((chance.randbytes(32), bytes(32)) for _ in range(500))
    message = Message((Range(0, 1 << 255, 1, 1), Range(1 << 255, TOP, 0, 0)))

    assert compare.answer(items, message)[0].ranges == tuple(
        said for part in message.ranges for said in compare.reply(items, part)
    )


def test_chunk_ask_and_largest_chunk_are_within_their_limits() -> None:
    chunk = ChunkGiven(digest=examples.DIGEST, index=0, data=bytes(CHUNK_BYTES + TAG_BYTES))

    assert len(make.answer(chunk).written()) < CHUNK_BYTES + 1024


# ---- hostile values

hostile = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text(max_size=45) | st.sampled_from(["", "A" * 43]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=400)
@given(st.sampled_from(examples.bodies()), st.data())
def test_request_with_any_value_anywhere_is_unfit_or_written_again(body: Ask | Answer, data: st.DataObject) -> None:
    said = json.loads(canonical.write(body.fields()))
    place: Any = said
    while True:
        name = data.draw(st.sampled_from(sorted(place) if type(place) is dict else range(len(place))))
        if not isinstance(place[name], dict | list) or not place[name] or data.draw(st.booleans()):
            break
        place = place[name]
    place[name] = data.draw(hostile)
    chunk = body.given.data if isinstance(body, Answer) and isinstance(body.given, ChunkGiven) else None

    try:
        read = reading.read_head(said, chunk)
    except Unfit:
        return

    assert read.fields() == said
