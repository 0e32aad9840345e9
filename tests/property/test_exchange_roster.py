"""Laws of rosters: what is accepted only rises, nothing that was touched is accepted, changes may come in any order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories import rosters as make
from tansiq.exchange import canonical, join, roster_change, roster_reading
from tansiq.exchange.roster import Roster, Standing
from tansiq.exchange.roster_signing import Accepted, Behind, NotAccepted, SignedRoster, Split, accept, signed
from tansiq.exchange.values import Unfit

LENGTH = 5


@cache
def honest() -> tuple[SignedRoster, ...]:
    return tuple(make.chain(make.founded("XA", "XB"), LENGTH))


@cache
def rosters() -> tuple[Roster, ...]:
    return tuple(roster_reading.read(one.text) for one in honest())


@cache
def others() -> tuple[SignedRoster, ...]:
    """By epoch from 2: forged, truncated of signatures, and really signed but another: evidence of a split."""
    found = []
    for known in rosters()[:-1]:
        draft = roster_change.set_claims(make.after(known), (), number=0)
        found += [signed(draft, make.signer("stranger")), replace(honest()[known.epoch], signatures=())]
    return tuple(found)


@cache
def splitting() -> SignedRoster:
    return signed(roster_change.set_claims(make.after(rosters()[1]), (), number=0), make.signer())


class Reader:
    """A node that takes over what it is given, and remembers what it had."""

    def __init__(self) -> None:
        self.had: list[Roster] = [rosters()[0]]

    def take(self, chain: Sequence[SignedRoster]) -> Accepted | Behind | Split | NotAccepted:
        by_epoch = {roster.epoch: roster for roster in self.had}
        outcome = accept(self.had[-1], chain, realm="live", now=datetime.now(UTC), past=by_epoch.get)
        if isinstance(outcome, Accepted):
            self.had += [roster for roster, _signed in outcome.steps]
        return outcome


@given(st.lists(st.lists(st.sampled_from(range(LENGTH + 2 * (LENGTH - 1))), max_size=4), max_size=6))
@settings(deadline=None, max_examples=60)
def test_what_is_accepted_rises_by_one_and_is_what_the_signers_made(given_in_turn: list[list[int]]) -> None:
    reader, all_of_them = Reader(), [*honest(), *others()]

    for indices in given_in_turn:
        outcome = reader.take([all_of_them[i] for i in indices])
        assert not isinstance(outcome, Split)

    assert [roster.epoch for roster in reader.had] == list(range(1, len(reader.had) + 1))
    assert tuple(reader.had) == rosters()[: len(reader.had)]
    reader.take(honest())
    assert tuple(reader.had) == rosters()


@given(st.permutations(range(LENGTH)))
@settings(deadline=None, max_examples=20)
def test_order_in_which_a_chain_is_given_does_not_matter(order: list[int]) -> None:
    reader = Reader()

    reader.take([honest()[i] for i in order])

    assert tuple(reader.had) == rosters()


@given(st.permutations(range(LENGTH + 1)), st.integers(1, LENGTH))
@settings(deadline=None, max_examples=40)
def test_split_is_found_whatever_comes_with_it(order: list[int], at_once: int) -> None:
    reader, all_of_them = Reader(), [*honest(), splitting()]
    reader.take(honest()[:3])

    found = [reader.take([all_of_them[i] for i in order[start : start + at_once]]) for start in range(0, 6, at_once)]

    assert sum(isinstance(outcome, Split) for outcome in found) == 1
    assert tuple(reader.had) == rosters()[: len(reader.had)]


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_signed_roster_with_any_byte_altered_is_refused(data: st.DataObject) -> None:
    whole = honest()[1].written().encode()
    position = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[position]))

    try:
        altered = SignedRoster.read(whole[:position] + bytes([byte]) + whole[position + 1 :])
    except Unfit:
        return

    assert isinstance(Reader().take([altered]), NotAccepted | Behind)


@given(st.data())
@settings(deadline=None, max_examples=150)
def test_join_request_with_any_byte_altered_is_refused(data: st.DataObject) -> None:
    whole = asked()
    position = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[position]))

    with pytest.raises((Unfit, join.NotProven)):
        join.read(whole[:position] + bytes([byte]) + whole[position + 1 :])


@cache
def asked() -> bytes:
    return make.written_request("XD")


@given(st.binary(max_size=200) | st.text().map(str.encode))
@settings(deadline=None)
def test_reading_anything_raises_nothing_but_unfit(data: bytes) -> None:
    for read in (SignedRoster.read, join.read, lambda it: roster_reading.read(it.decode("utf-8", "surrogateescape"))):
        with pytest.raises(Unfit):
            read(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.data(), json_values)
@settings(deadline=None, max_examples=200)
def test_roster_with_any_value_put_anywhere_is_read_or_unfit(data: st.DataObject, value: object) -> None:
    said = json.loads(rosters()[0].written())
    where = said
    while True:
        keys = list(where) if isinstance(where, dict) else list(range(len(where)))
        key = data.draw(st.sampled_from(keys))
        if isinstance(where[key], dict | list) and where[key] and data.draw(st.booleans()):
            where = where[key]
            continue
        where[key] = value
        break
    text = canonical.write(said)

    with suppress(Unfit):
        assert roster_reading.read(text).written() == text


CHANGES = (
    lambda draft: roster_change.admit(draft, make.request("XD"), make.WORDS),
    lambda draft: roster_change.remove(draft, "XC"),
    lambda draft: roster_change.rotate(draft, make.request("XB", generation=1)),
    lambda draft: roster_change.strike(draft, make.request("XA").platform_fingerprint),
    lambda draft: roster_change.set_standing(draft, "XA", Standing.SUSPENDED),
    lambda draft: roster_change.set_claims(draft, make.CLAIMS[:1], number=9),
)


def test_changes_of_different_things_give_one_roster_in_any_order() -> None:
    begun = make.after(make.founded("XA", "XB", "XC"))

    made = set()
    for order in permutations(CHANGES, 6):
        draft = begun
        for change in order:
            draft = change(draft)
        made.add(draft.written())

    assert len(made) == 1
    assert roster_reading.read(made.pop()).epoch == 2
