"""Positions taken in any order: sections 2, 3.4 and 6."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from factories.positions import Kept
from tansiq.exchange import sending
from tansiq.exchange.body import SkipReason
from tansiq.exchange.channel import Cursor, Limit, Span, hash_of_nothing
from tansiq.exchange.receiving import Numbering, Place, Taken, Waiting, numbering, take
from tansiq.exchange.values import EMPTY_DIGEST, digest

ROOM = Limit(100, 10**6)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, OTHER = "1-aaaaaaaaaaaaaaaa", "1-bbbbbbbbbbbbbbbb"
TWO = "2-cccccccccccccccc"


def hash_at(position: int) -> str:
    return digest(str(position).encode()) if position else EMPTY_DIGEST


def body(position: int) -> Span:
    return Span(position, position, hash_at(position - 1), hash_at(position))


def skip(first: int, last: int) -> Span:
    return Span(first, last, hash_at(first - 1), hash_at(last))


def taken(*spans: Span, then: Span, is_skip: bool = False, above_gap: int = 0, limit: Limit = ROOM) -> Taken:
    """What becomes of ``then`` after ``spans``, all of which are new."""
    cursor, kept = Cursor(), Kept()
    for span in spans:
        before = take(cursor, kept, span, is_skip=span.last > span.first, limit=ROOM)
        assert before.place is Place.NEW
        cursor = before.cursor
        kept.add(span)
    return take(cursor, kept, then, is_skip=is_skip, above_gap=Waiting(above_gap), limit=limit)


def test_position_in_order_moves_the_cursor() -> None:
    result = taken(body(1), then=body(2))

    assert result == Taken(Place.NEW, Cursor(2, hash_at(2), 2))


def test_position_above_a_gap_is_taken_and_the_cursor_stays() -> None:
    result = taken(body(1), then=body(3))

    assert result == Taken(Place.NEW, Cursor(1, hash_at(1), 3))


def test_position_that_closes_a_gap_moves_past_what_lay_above() -> None:
    result = taken(body(3), body(2), body(4), then=body(1))

    assert result == Taken(Place.NEW, Cursor(4, hash_at(4), 4))


def test_position_taken_before_is_a_repeat() -> None:
    result = taken(body(1), body(2), then=body(1))

    assert result == Taken(Place.REPEAT, Cursor(2, hash_at(2), 2))


@pytest.mark.parametrize(
    ("told", "contradicts"),
    [
        (Span(2, 2, hash_at(1), hash_at(99)), 2),
        (Span(2, 2, hash_at(99), hash_at(2)), 1),
        (Span(3, 3, hash_at(99), hash_at(3)), 2),
        (Span(1, 1, hash_at(99), hash_at(1)), 0),
        (skip(1, 2), None),
    ],
)
def test_second_story_for_a_position_freezes_the_channel(told: Span, contradicts: int | None) -> None:
    result = taken(body(1), body(2), then=told, is_skip=told.first != told.last)

    assert result.contradicts == contradicts
    assert result.cursor.frozen is (contradicts is not None)


def test_gap_closed_by_a_body_that_names_another_predecessor_freezes() -> None:
    result = taken(body(1), body(3), then=Span(2, 2, hash_at(1), hash_at(99)))

    assert result.place is Place.FROZEN
    assert result.contradicts == 2


def test_skip_closes_a_gap_and_carries_the_chain_on() -> None:
    result = taken(body(1), body(5), then=skip(2, 4), is_skip=True)

    assert result == Taken(Place.NEW, Cursor(5, hash_at(5), 5))


def test_skip_over_positions_that_were_had_covers_the_rest() -> None:
    result = taken(body(1), body(2), then=skip(1, 4), is_skip=True)

    assert result == Taken(Place.NEW, Cursor(4, hash_at(4), 4))


def test_body_that_comes_after_its_skip_is_not_applied() -> None:
    result = taken(body(1), skip(2, 4), then=body(3))

    assert result.place is Place.SKIPPED


def test_gap_that_holds_too_much_takes_no_more_above_it() -> None:
    limit = Limit(2, 10**6)

    assert taken(body(3), body(4), then=body(5), above_gap=2, limit=limit).place is Place.FULL
    assert taken(body(3), body(4), then=body(1), above_gap=2, limit=limit).place is Place.NEW


def test_gaps_are_listed_lowest_first() -> None:
    kept = Kept()
    for span in (body(1), body(4), skip(8, 9), body(12)):
        kept.add(span)

    assert kept.gaps(Cursor(1, hash_at(1), 12), most=2) == ((2, 3), (5, 7))
    assert kept.gaps(Cursor(1, hash_at(1), 12), most=9) == ((2, 3), (5, 7), (10, 11))


def dropped(first: int, last: int, prev: str) -> sending.Entry:
    """A skip for rows that went at a limit, as the sealer makes it."""
    return sending.Entry(Span(first, last, prev, hash_of_nothing(prev, first, last)), None, None, SkipReason.LIMIT)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_skip_sent_as_one_agrees_with_the_skips_that_it_was_joined_of(order: tuple[int, ...]) -> None:
    one = dropped(2, 3, hash_at(1))
    other = dropped(4, 4, one.span.digest)
    (joined,) = sending.joined([one, other])
    sent = (one.span, other.span, joined.span)

    result = taken(body(1), then=Span(5, 5, other.span.digest, hash_at(5)))
    cursor, kept = Cursor(1, hash_at(1), 1), Kept()
    for number in order:
        result = take(cursor, kept, sent[number], is_skip=True, limit=ROOM)
        cursor = result.cursor
        kept.add(sent[number])
        assert result.contradicts is None

    assert joined.span == Span(2, 4, hash_at(1), other.span.digest)
    assert result.cursor == Cursor(4, other.span.digest, 4)


def test_hash_of_nothing_depends_on_all_that_it_stands_for() -> None:
    assert (
        len({hash_of_nothing(hash_at(1), 2, 3), hash_of_nothing(hash_at(1), 2, 4), hash_of_nothing(hash_at(2), 2, 3)})
        == 3
    )


@pytest.mark.parametrize(
    ("known", "incarnation", "expected"),
    [
        ([], ONE, Numbering.NEWER),
        ([ONE], ONE, Numbering.CURRENT),
        ([ONE], TWO, Numbering.NEWER),
        ([ONE, TWO], ONE, Numbering.FORMER),
        ([TWO], ONE, Numbering.FORMER),
        ([ONE], OTHER, Numbering.CLONE),
        ([ONE, TWO], OTHER, Numbering.CLONE),
    ],
)
def test_incarnation_is_judged_by_those_known(known: list[str], incarnation: str, expected: Numbering) -> None:
    assert numbering(dict.fromkeys(known, NOON), incarnation, sent_at=NOON) is expected


def test_former_incarnation_that_speaks_on_is_suspect() -> None:
    begun = {ONE: NOON - timedelta(days=1), TWO: NOON}

    assert numbering(begun, ONE, sent_at=NOON + timedelta(hours=1)) is Numbering.SUSPECT
