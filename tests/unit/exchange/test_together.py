"""Several sealed bodies in one message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tansiq.exchange import together
from tansiq.exchange.values import Unfit

BODIES = st.lists(st.binary(max_size=300), min_size=1, max_size=together.MOST_BODIES)


@given(BODIES)
def test_what_was_put_together_is_read_as_it_was(bodies: list[bytes]) -> None:
    assert together.read(together.written(bodies)) == bodies


@given(BODIES, st.data())
def test_what_is_cut_off_is_refused_or_ends_with_a_whole_body(bodies: list[bytes], data: st.DataObject) -> None:
    written = together.written(bodies)
    cut = written[: data.draw(st.integers(0, len(written) - 1))]

    try:
        found = together.read(cut)
    except Unfit:
        return
    assert found == bodies[: len(found)]


@given(st.binary(max_size=400))
def test_anything_else_is_refused_or_read_whole(data: bytes) -> None:
    try:
        found = together.read(data)
    except Unfit:
        return
    assert together.written(found) == data


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\0\0\0\2x", together.written([b"x"] * (together.MOST_BODIES + 1))])
def test_nothing_too_much_and_half_a_body_are_refused(data: bytes) -> None:
    with pytest.raises(Unfit):
        together.read(data)


@given(st.lists(st.integers(0, 2 * together.MOST_BYTES), max_size=600))
def test_portions_are_all_in_their_order_and_within_the_limits(sizes: list[int]) -> None:
    portions = [sizes[part] for part in together.portions(sizes)]

    assert [size for portion in portions for size in portion] == sizes
    for portion in portions:
        assert 1 <= len(portion) <= together.MOST_BODIES
        assert len(portion) == 1 or sum(portion) + 4 * len(portion) <= together.MOST_BYTES


def test_small_bodies_go_together() -> None:
    assert list(together.portions([2_000] * 300)) == [slice(0, 130), slice(130, 260), slice(260, 300)]
