"""The forms of NKeys, against keys that another implementation made."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from tansiq.exchange import nkey

# From the documentation of nats-server (docs.nats.io, "NKeys").
PUBLISHED_SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
PUBLISHED_PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"


def test_public_of_a_published_seed_is_the_published_key() -> None:
    assert nkey.public(PUBLISHED_SEED) == PUBLISHED_PUBLIC
    assert nkey.is_public(PUBLISHED_PUBLIC)


def test_new_seed_is_another_each_time_and_has_the_known_form() -> None:
    seeds = {nkey.new_seed() for _ in range(50)}

    assert len(seeds) == 50
    assert {(seed[:2], len(seed)) for seed in seeds} == {("SU", 58)}
    assert {(nkey.public(seed)[0], len(nkey.public(seed))) for seed in seeds} == {("U", 56)}


def test_sign_is_verified_by_the_bytes_within_the_public_key() -> None:
    seed = nkey.new_seed()
    raw = base64.b32decode(nkey.public(seed))[1:-2]

    Ed25519PublicKey.from_public_bytes(raw).verify(nkey.sign(seed, b"nonce"), b"nonce")


@pytest.mark.parametrize("place", [0, 1, 20, 57])
def test_seed_with_one_other_letter_is_refused_without_saying_it(place: int) -> None:
    letter = "B" if PUBLISHED_SEED[place] != "B" else "C"
    wrong = PUBLISHED_SEED[:place] + letter + PUBLISHED_SEED[place + 1 :]

    with pytest.raises(nkey.BadKey) as refused:
        nkey.public(wrong)

    assert wrong not in str(refused.value)


@given(st.text(max_size=70))
def test_is_public_of_any_text_answers(text: str) -> None:
    assert nkey.is_public(text) is False


def test_is_public_of_a_seed_or_a_lower_case_key_is_false() -> None:
    assert [nkey.is_public(text) for text in (PUBLISHED_SEED, PUBLISHED_PUBLIC.lower(), PUBLISHED_PUBLIC + "=")] == [
        False,
        False,
        False,
    ]
