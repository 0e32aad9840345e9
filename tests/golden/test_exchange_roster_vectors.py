"""The vectors of section 10: a second implementation's rosters would be read, judged and heeded alike."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tansiq.exchange import join, nkey, roster_facts, roster_reading, roster_signing, values
from tansiq.exchange.roster import Roster
from tansiq.exchange.roster_signing import Accepted, Behind, NotAccepted, SignedRoster, Split, accept
from tansiq.exchange.values import Unfit

HERE = Path(__file__).parent / "exchange"
VECTORS: dict[str, Any] = json.loads((HERE / "rosters.json").read_text(encoding="utf-8"))
CHAIN = [SignedRoster.read(one["signed"].encode()) for one in VECTORS["chain"]]
ROSTERS = [roster_reading.read(one.text) for one in CHAIN]


def prefixed(tag: str, text: str) -> bytes:
    """Section 1.4 once more, in other words."""
    data = text.encode()
    return tag.encode() + b"\0" + len(data).to_bytes(8, "big") + data


def test_nkey_vector_is_what_this_program_writes_and_verifies() -> None:
    vector = VECTORS["nkey"]

    assert nkey.public(vector["seed"]) == vector["public"]
    assert values.write_bytes(nkey.sign(vector["seed"], vector["content"].encode())) == vector["signature"]


@pytest.mark.parametrize("index", range(len(CHAIN)))
def test_roster_vector_is_read_and_written_again(index: int) -> None:
    vector, one, roster = VECTORS["chain"][index], CHAIN[index], ROSTERS[index]

    assert one.written() == vector["signed"]
    assert roster.written() == one.text == json.loads(vector["signed"])["roster"]
    assert roster.digest == vector["digest"] == hashlib.sha256(one.text.encode()).hexdigest()
    assert roster.previous == (VECTORS["chain"][index - 1]["digest"] if index else values.EMPTY_DIGEST)


def test_signed_bytes_are_those_of_section_10_2_in_other_words() -> None:
    expected = prefixed("tansiq.roster.v1", CHAIN[0].text)

    assert roster_signing.signed_bytes(CHAIN[0].text) == expected == bytes.fromhex(VECTORS["signs"]["hex"])


@pytest.mark.parametrize("index", range(len(CHAIN)))
def test_facts_vector_is_what_the_checks_get(index: int) -> None:
    roster, vector = ROSTERS[index], VECTORS["facts"][index]

    found = roster_facts.facts_of(roster, here="XA", now=roster.issued_at + timedelta(days=10))

    assert {
        "node_keys": {
            key.fingerprint: {"node": key.node, "until_epoch": key.until_epoch, "revoked": key.revoked}
            for key in found.node_keys.values()
        },
        "platform_keys": {
            key.fingerprint: {"team": key.team, "node": key.node, "until_epoch": key.until_epoch, "struck": key.struck}
            for key in found.platform_keys.values()
        },
        "senders": sorted(found.senders),
        "former": sorted(found.former),
        "forwarders": sorted(found.forwarders),
        "homes": dict(found.homes),
        "community": sorted(roster_facts.community(roster)),
    } == vector


@pytest.mark.parametrize("vector", VECTORS["outcomes"], ids=lambda vector: vector["what"])
def test_outcome_vector_is_what_becomes_of_it(vector: dict[str, Any]) -> None:
    known = None if vector["known"] is None else ROSTERS[vector["known"]]
    given = [CHAIN[one] if type(one) is int else SignedRoster.read(one.encode()) for one in vector["given"]]
    here = {roster.epoch: roster for roster in ROSTERS[: (vector["known"] or 0) + 1]} if known else {}

    outcome = accept(known, given, realm="live", now=datetime.now(UTC), anchor=vector["anchor"], past=here.get)

    assert said(outcome) == vector["outcome"]


def said(outcome: Accepted | Behind | Split | NotAccepted) -> str:
    match outcome:
        case Accepted():
            return f"accepted {outcome.roster.epoch}"
        case Behind():
            return "behind"
        case Split():
            return f"split {outcome.epoch}"
        case NotAccepted():
            return f"refused {outcome.reason.value}"


@pytest.mark.parametrize("vector", VECTORS["unfit"], ids=lambda vector: vector["what"])
def test_unfit_vector_is_no_roster(vector: dict[str, str]) -> None:
    with pytest.raises(Unfit):
        roster_reading.read(vector["text"])


def test_join_vector_is_proven_by_its_three_keys() -> None:
    vector = VECTORS["join"]

    asked = join.read(vector["file"].encode())

    assert (asked.node, asked.team, asked.realm) == ("XB", "XB-CERT", "live")
    text = json.loads(vector["file"])["request"]
    assert asked.written() == text
    assert join.signed_bytes(text) == prefixed("tansiq.join.v1", text) == bytes.fromhex(vector["signs"]["hex"])
    assert isinstance(ROSTERS[1], Roster) and ROSTERS[1].node("XB").nkey == asked.nkey  # type: ignore[union-attr]


@pytest.mark.parametrize("vector", VECTORS["join_refused"], ids=lambda vector: vector["which"])
def test_join_vector_that_is_not_proven_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises((Unfit, join.NotProven)) as refused:
        join.read(vector["file"].encode())

    if vector["which"] != "form":
        assert isinstance(refused.value, join.NotProven)
        assert refused.value.values["which"] == vector["which"]
