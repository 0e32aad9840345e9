"""Laws of the chain, without a database."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tansiq.audit import form
from tansiq.audit.chain import GENESIS, Sealed, hash_of

rows = st.builds(Sealed, **{name: st.binary(max_size=40) for name in Sealed._fields})
codes = st.from_regex(form.CODE, fullmatch=True).filter(lambda code: len(code) <= form.CODE_MOST)
plain = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | codes


@given(row=rows, place=st.integers(0, 8), data=st.data())
def test_hash_changes_with_any_bit_of_any_field(row: Sealed, place: int, data: st.DataObject) -> None:
    parts = list(row)
    parts[place] = parts[place] or b"x"
    before = hash_of(Sealed(*parts), previous=GENESIS)
    bit = data.draw(st.integers(0, len(parts[place]) * 8 - 1))
    changed = bytearray(parts[place])
    changed[bit // 8] ^= 1 << bit % 8
    parts[place] = bytes(changed)

    assert hash_of(Sealed(*parts), previous=GENESIS) != before


@given(row=rows, other=rows)
def test_hash_is_the_same_for_the_same_row_only(row: Sealed, other: Sealed) -> None:
    assert (hash_of(row, previous=GENESIS) == hash_of(other, previous=GENESIS)) == (row == other)


@given(values=st.dictionaries(st.from_regex(form.NAME, fullmatch=True), plain | st.lists(plain, max_size=5)))
def test_facts_read_back_as_they_were(values: dict[str, object]) -> None:
    text = form.facts(values)

    assert json.loads(text) == values
    assert text.isascii() and "\n" not in text


@given(text=st.text(max_size=60))
def test_code_holds_no_white_space_no_at_sign_and_ascii_alone(text: str) -> None:
    try:
        passed = form.code("it", text)
    except form.NotRecordable:
        return

    assert passed == text
    assert text.isascii() and "@" not in text and not any(sign.isspace() for sign in text)
