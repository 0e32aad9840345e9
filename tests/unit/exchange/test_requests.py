"""Asks and answers: section 3.6, and the checks 5.4 to 5.10 of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from factories import exchange as make
from factories import exchange_requests as examples
from tansiq.exchange import canonical, reading, trust
from tansiq.exchange.blob import CHUNK_BYTES, TAG_BYTES
from tansiq.exchange.reasons import JunkReason, Reason
from tansiq.exchange.requests import (
    CHUNK_PREFIX,
    MOST_CHUNKS,
    Answer,
    Ask,
    ChunkGiven,
    ChunksAsked,
    ComparisonAsked,
    RosterAsked,
    RosterGiven,
)
from tansiq.exchange.seal import Junk, Sealed, Unsealed, unsealed
from tansiq.exchange.trust import Authentic, Parked, Refused
from tansiq.exchange.values import Unfit, length_prefixed, whole_milliseconds

FACTS = make.facts()


def received(sealed: Sealed) -> Authentic | Junk:
    opened = unsealed(sealed, by=[make.node_secret("XB")], signers=FACTS.believed_certificates())
    return opened if isinstance(opened, Junk) else trust.authenticate(opened, FACTS)


def judged(content: bytes) -> Authentic | Junk:
    return trust.authenticate(Unsealed(content, make.node_secret("XA").fingerprint), FACTS)


def asked_said(name: str, **changes: Any) -> bytes:
    body = examples.asks()[name].fields()
    return canonical.write(body | {"asked": body["asked"] | changes}).encode()


def given_said(name: str, **changes: Any) -> bytes:
    body = examples.answers()[name].fields()
    return canonical.write(body | {"given": body["given"] | changes}).encode()


def stand(**changes: Any) -> dict[str, Any]:
    return {"lane": "bulk", "incarnation": "", "n": 0, "changes": 0} | changes


@pytest.mark.parametrize(
    "body", examples.bodies(), ids=[*examples.asks(), *(f"{name} given" for name in examples.answers())]
)
def test_request_sealed_and_opened_is_what_was_sent(body: Ask | Answer) -> None:
    sent = replace(body, sent_at=whole_milliseconds(body.sent_at))

    outcome = received(make.sealed(sent))

    assert isinstance(outcome, Authentic)
    assert outcome.head == sent
    assert outcome.head.written() == outcome.content == sent.written()
    assert trust.admit(outcome, FACTS, now=make.now()) == outcome
    assert Authentic.stored(outcome.content, signer=outcome.signer) == outcome


def test_request_is_no_envelope() -> None:
    body = judged(examples.asks()["roster"].written())

    assert isinstance(body, Authentic)
    with pytest.raises(ValueError, match="no envelope"):
        trust.examine(body, FACTS, make.LenientJudge(), now=make.now())


def test_request_says_no_lane_and_no_position() -> None:
    said = examples.asks()["chunks"].fields()

    assert set(said) == {
        "v", "t", "id", "realm", "from", "to", "epoch", "sent_at", "about", "asked", "x-later",
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        asked_said("roster", epoch=0),
        asked_said("roster", offset=-1),
        asked_said("roster", offset=32 * 1024**2 + 1),
        asked_said("receipt", lane="slow"),
        asked_said("receipt", incarnation="0-abcdefghijklmnop"),
        asked_said("chunks", runs=[]),
        asked_said("chunks", runs=[[1, 0]]),
        asked_said("chunks", runs=[[0, 1], [1, 2]]),
        asked_said("chunks", runs=[[0, MOST_CHUNKS]]),
        asked_said("chunks", runs=[[4096, 4096]]),
        asked_said("chunks", runs=[[0, True]]),
        asked_said("recovery", held=1),
        asked_said("recovery", after="a b"),
        asked_said("recovery", offset=512 * 1024 + 1),
        asked_said("comparison", of="XB"),
        asked_said("comparison", of="XC"),
        asked_said("comparison", turn=0),
        asked_said("comparison", turn=10_001),
        asked_said("comparison", ranges=[]),
        asked_said("comparison", ranges=[["", "", "", 0]]),
        asked_said("comparison", ranges=[["A" * 43, "", "A" * 43, -1]]),
        asked_said("comparison", ranges=[["A" * 43, "", "A" * 43, None]]),
        asked_said("comparison", ranges=[["A" * 43, "", "A" * 42 + "B", 1]]),
        asked_said("comparison", ranges=[["A" * 43, "", [["A" * 43]], True]]),
        asked_said("comparison", ranges=[["A" * 43, "", [["A" * 43, "A" * 43]] * 33, True]]),
        asked_said("comparison", ranges=[["A" * 43, "", [], 1]]),
        asked_said("comparison", cut=[{"lane": "bulk", "incarnation": "", "position": 0}]),
        asked_said("comparison", cut=[examples.CUT[0].fields()] * 2),
        asked_said("comparison wished", outcome={"differences": 0, "in_flight": 0}),
        asked_said("comparison over", turn=0),
        given_said("roster", newest=8),
        given_said("roster", pieces=examples.given()["roster"].fields()["pieces"][::-1]),
        given_said("comparison", until="A"),
        given_said("comparison", until=None),
        given_said("recovery", complete=True),
        given_said("recovery", after="XB:b"),
        given_said("recovery", pieces=examples.given()["recovery"].fields()["pieces"][::-1]),
        given_said("recovery", stands=[stand()] * 2),
        given_said("recovery", stands=[stand()] * 4),
        given_said("recovery", stands=[stand(n=2**52)]),
        given_said("recovery", stands=[stand(changes=2**52)]),
        given_said("recovery", stands=[stand(incarnation="100000000000000-abcdefghijklmnop")]),
    ],
)
def test_5_5_request_that_does_not_obey_section_3_6_is_junk(content: bytes) -> None:
    outcome = judged(content)

    assert isinstance(outcome, Junk)
    assert (outcome.check, outcome.reason) == ("5.5", JunkReason.BODY)


def test_recovery_from_whose_numbers_the_asking_node_can_go_on_is_heard() -> None:
    said = stand(incarnation="99999999999999-abcdefghijklmnop", n=2**52 - 1, changes=2**52 - 1)

    assert isinstance(judged(given_said("recovery", stands=[said])), Authentic)


@pytest.mark.parametrize(
    ("name", "value"), [("about", "weather"), ("about", "receipt"), ("answers", "1"), ("given", [])]
)
def test_5_5_answer_about_nothing_known_is_junk(name: str, value: object) -> None:
    said = examples.answers()["roster"].fields() | {name: value}

    outcome = judged(canonical.write(said).encode())

    assert isinstance(outcome, Junk)
    assert outcome.check == "5.5"


def test_recovery_recall_of_what_is_not_whole_yet_is_junk() -> None:
    recalls = examples.given()["recovery"].fields()["recalls"]

    outcome = judged(given_said("recovery", recalls=[recalls[0] | {"object": "XB:d"}]))

    assert isinstance(outcome, Junk)


# ---- chunks


def test_chunk_travels_behind_its_body() -> None:
    answer = examples.answers()["chunks"]

    content = answer.written()

    head = canonical.write(answer.fields()).encode()
    assert content == b"tansiq.chunk.v1\0" + len(head).to_bytes(8) + head + bytes(7) + b"\x0c" + b"\x00\xffciphertext"
    assert b"ciphertext" not in head


def test_chunk_of_the_largest_size_is_sealed_within_the_limit() -> None:
    data = bytes(CHUNK_BYTES + TAG_BYTES)
    answer = make.answer(ChunkGiven(digest=examples.DIGEST, index=4095, data=data))

    outcome = received(make.sealed(answer))

    assert isinstance(outcome, Authentic)
    assert isinstance(outcome.head, Answer)
    assert outcome.head.given == answer.given


def test_5_4_chunk_of_other_lengths_than_it_says_is_junk() -> None:
    content = examples.answers()["chunks"].written()

    for wrong in (
        content[:-1],
        content + b"\0",
        CHUNK_PREFIX,
        CHUNK_PREFIX + b"\xff" * 8,
        content[: len(content) // 2],
    ):
        outcome = judged(wrong)
        assert isinstance(outcome, Junk)
        assert outcome.check == "5.4"


def test_5_4_chunk_longer_than_a_chunk_is_junk() -> None:
    head = canonical.write(examples.answers()["chunks"].fields()).encode()

    outcome = judged(length_prefixed("tansiq.chunk.v1", head, bytes(CHUNK_BYTES + TAG_BYTES + 1)))

    assert isinstance(outcome, Junk)
    assert outcome.check == "5.4"


def test_5_5_chunk_and_its_body_are_never_apart() -> None:
    answer = examples.answers()["chunks"]
    head = canonical.write(answer.fields()).encode()
    others = [examples.answers()["roster"], examples.asks()["chunks"], make.receipt(), make.envelope(), make.skip()]

    for content in [head, *(length_prefixed("tansiq.chunk.v1", body.written(), b"data") for body in others)]:
        outcome = judged(content)
        assert isinstance(outcome, Junk)
        assert outcome.check == "5.5"


def test_written_chunk_with_a_body_that_is_too_long_is_the_callers_fault() -> None:
    answer = replace(examples.answers()["chunks"], extra={"x": "a" * 4096})

    with pytest.raises(ValueError, match="a chunk's body"):
        answer.written()


# ---- who may ask


def test_5_8_ask_of_tomorrow_is_parked() -> None:
    body = judged(replace(examples.asks()["roster"], sent_at=make.now() + timedelta(hours=1)).written())

    assert isinstance(body, Authentic)
    assert trust.admit(body, FACTS, now=make.now()) == Parked("5.8", Reason.CLOCK, whole=True)


def test_5_9_ask_under_a_later_roster_is_parked() -> None:
    body = judged(replace(examples.asks()["recovery"], epoch=make.EPOCH + 1).written())

    assert isinstance(body, Authentic)
    assert trust.admit(body, FACTS, now=make.now()) == Parked("5.9", Reason.EPOCH, whole=True)


@pytest.mark.parametrize("name", [name for name in examples.asks() if name != "roster"])
def test_5_10_removed_node_asks_in_vain(name: str) -> None:
    removed = make.facts(senders=frozenset({"XB", "XC"}), former=frozenset({"XA"}))
    body = judged(examples.asks()[name].written())

    assert isinstance(body, Authentic)
    assert trust.admit(body, removed, now=make.now()) == Refused("5.10", Reason.REMOVED, moves=False)


def test_5_10_node_removed_lately_may_ask_for_the_roster_that_did_it() -> None:
    lately = make.facts(senders=frozenset({"XB", "XC"}), former=frozenset({"XA"}))
    long_ago = make.facts(senders=frozenset({"XB", "XC"}))
    body = judged(examples.asks()["roster"].written())

    assert isinstance(body, Authentic)
    assert trust.admit(body, lately, now=make.now()) == body
    assert trust.admit(body, long_ago, now=make.now()) == Refused("5.10", Reason.REMOVED, moves=False)


# ---- reading what was never sent


def test_read_content_of_a_body_has_no_chunk() -> None:
    body = examples.asks()["roster"]

    assert reading.read_content(body.written()) == (body.fields(), None)


def test_read_head_keeps_fields_that_are_not_known() -> None:
    ask = make.ask(RosterAsked(epoch=1, extra={"x": 1}), extra={"y": 2})

    read = reading.read_head(ask.fields())

    assert isinstance(read, Ask)
    assert (read.extra, read.asked.extra) == ({"y": 2}, {"x": 1})


def test_read_head_of_an_ask_at_its_limits_is_what_was_asked() -> None:
    wish = ComparisonAsked(comparison=examples.COMPARISON, of="XB", turn=0)
    chunks = ChunksAsked(digest=examples.DIGEST, runs=((0, 127),))

    assert [reading.read_head(make.ask(one).fields()).asked for one in (wish, chunks)] == [wish, chunks]  # type: ignore[union-attr]


def test_read_head_of_pieces_beyond_the_text_is_unfit() -> None:
    piece = examples.roster_piece(b"text", 1)
    said = make.answer(RosterGiven(newest=1, pieces=(replace(piece, size_bytes=3),))).fields()

    with pytest.raises(Unfit):
        reading.read_head(said)
