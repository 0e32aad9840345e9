"""A comparison finds exactly the differences, at a cost that follows them (section 13)."""

from __future__ import annotations

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.exchange.body import Version
from tansiq.exchange.compare import (
    LISTED,
    TOP,
    Differences,
    Items,
    Message,
    Range,
    answer,
    item_of,
    key_of,
    opening,
)
from tansiq.exchange.values import Unfit, length_prefixed

small = st.integers(0, 255).map(lambda number: bytes(31) + bytes([number]))
spread = st.binary(min_size=32, max_size=32)
leaves = st.binary(min_size=1, max_size=1).map(lambda one: one * 32)
sides = st.dictionaries(small | spread, leaves, max_size=200)


def compared(mine: dict[bytes, bytes], theirs: dict[bytes, bytes]) -> tuple[Differences, Differences, int, int]:
    """What each side found, the bytes of all messages, and their number."""
    items = [Items(mine.items()), Items(theirs.items())]
    found = [Differences(), Differences()]
    message = opening(items[0])
    size_bytes, turns = message.size_bytes, 1
    while message.ranges:
        message, seen = answer(items[turns % 2], message)
        found[turns % 2] |= seen
        size_bytes += message.size_bytes
        turns += 1
        assert turns < 100
    return found[0], found[1], size_bytes, turns


@given(sides, sides, st.sampled_from([0, 1, 3]))
def test_comparison_finds_exactly_the_differences(
    common: dict[bytes, bytes], own: dict[bytes, bytes], which: int
) -> None:
    mine = common | dict(list(own.items())[: len(own) // 2])
    theirs = common | (dict(list(own.items())[len(own) // 2 :]) if which else {})
    expected = Differences(
        frozenset(theirs.keys() - mine.keys()),
        frozenset(mine.keys() - theirs.keys()),
        frozenset(key for key in mine.keys() & theirs.keys() if mine[key] != theirs[key]),
    )

    here, there, _size_bytes, _turns = compared(mine, theirs)

    assert here == expected
    assert there == Differences(expected.extra, expected.missing, expected.different)


def test_equal_sides_cost_one_fingerprint() -> None:
    base = dict(_random_items(5000))

    assert compared(base, base) == (Differences(), Differences(), 104, 2)


@pytest.mark.parametrize("differing", [1, 10, 100])
def test_cost_follows_the_differences_and_not_the_base(differing: int) -> None:
    base = dict(_random_items(20_000))
    other = dict(list(base.items())[differing:])

    here, there, size_bytes, turns = compared(base, other)

    assert len(here.extra | there.missing) == differing
    assert size_bytes < 104 + differing * 4 * (16 * 104 + 2 * LISTED * 64)
    assert turns < 10


@given(
    st.lists(
        st.builds(Range, *[st.integers(-5, 40)] * 4, items=st.none() | st.lists(st.tuples(small, small)).map(tuple))
    )
)
def test_hostile_message_is_unfit_or_answered_in_bounds(ranges: list[Range]) -> None:
    items = Items(_random_items(100))
    message = Message(tuple(ranges))

    try:
        said, _found = answer(items, message)
    except Unfit:
        return

    assert len(said.ranges) <= 16 * len(ranges) + 100 // LISTED


@pytest.mark.parametrize(
    "part", [Range(5, 5, 0, 0), Range(0, TOP + 1, 0, 0), Range(0, 5, 0, 1, ((b"\xff" * 32, bytes(32)),))]
)
def test_range_that_is_none_is_unfit(part: Range) -> None:
    with pytest.raises(Unfit):
        answer(Items([]), Message((part,)))


@given(st.text("a.", max_size=5), st.text("A:1é", max_size=9), st.integers(0, 2**53), st.integers(0, 9))
def test_item_is_the_key_and_the_live_leaf(kind: str, object_id: str, term: int, n: int) -> None:
    version = Version(term, n)

    item = item_of(object_id, kind, version, "ab" * 32)

    leaf = length_prefixed("tansiq.leaf.v1", kind, object_id, term, n, "ab" * 32, "live")
    assert item == (key_of(kind, object_id), hashlib.sha256(leaf).digest())


def _random_items(count: int) -> list[tuple[bytes, bytes]]:
    draw = random.Random(count)
    return [(draw.randbytes(32), draw.randbytes(32)) for _ in range(count)]


@pytest.mark.parametrize("count", [1 << 14, (1 << 14) + 1])
def test_items_are_in_order_however_many_they_are(count: int) -> None:
    keys = [key_of("case.note", f"XA-CERT:{number}") for number in range(count)]

    items = Items((key, bytes(32)) for key in keys)

    assert list(items.keys) == sorted(keys)
