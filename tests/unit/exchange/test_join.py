"""What a node hands to the signers: read only if all its keys have signed it (section 10.6)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from factories import rosters as make
from tansiq.exchange import canonical, join, nkey, values
from tansiq.exchange.values import Unfit

ASKED = make.request("XA")


def test_request_read_is_the_one_that_was_signed() -> None:
    assert join.read(make.written_request("XA")) == ASKED


def test_request_keeps_what_is_not_known_of_it() -> None:
    asked = replace(ASKED, extra={"x-later": [1]})

    data = join.signed(
        asked, node=make.node_secret("XA"), platform=make.platform_secret("XA-CERT", "XA"), seed=make.seed("XA")
    )

    assert join.read(data) == asked


@pytest.mark.parametrize("which", ["node", "platform", "nkey"])
def test_request_that_one_of_its_keys_did_not_sign_is_not_proven(which: str) -> None:
    keys = {
        "node": make.node_secret("XA"),
        "platform": make.platform_secret("XA-CERT", "XA"),
        "nkey": make.seed("XA"),
    }
    others = {
        "node": make.node_secret("XB"),
        "platform": make.platform_secret("XB-CERT", "XB"),
        "nkey": make.seed("XB"),
    }
    signed_by = keys | {which: others[which]}

    data = join.signed(ASKED, node=signed_by["node"], platform=signed_by["platform"], seed=signed_by["nkey"])  # type: ignore[arg-type]

    with pytest.raises(join.NotProven) as refused:
        join.read(data)
    assert refused.value.values == {"node": "XA", "which": which}


def test_request_with_one_key_for_node_and_team_is_refused() -> None:
    asked = replace(ASKED, platform_certificate=ASKED.node_certificate)

    data = join.signed(asked, node=make.node_secret("XA"), platform=make.node_secret("XA"), seed=make.seed("XA"))

    with pytest.raises(Unfit):
        join.read(data)


def test_request_with_another_signature_beside_is_refused() -> None:
    said = json.loads(make.written_request("XA"))
    said["signatures"]["x"] = ""

    with pytest.raises(Unfit):
        join.read(canonical.write(said).encode())


def test_request_with_a_signature_of_more_than_4_kb_is_unfit_not_unproven() -> None:
    said = json.loads(make.written_request("XA"))

    said["signatures"]["node"] = values.write_bytes(bytes(4096))
    with pytest.raises(join.NotProven):
        join.read(canonical.write(said).encode())

    said["signatures"]["node"] = values.write_bytes(bytes(4097))
    with pytest.raises(Unfit, match="at most 4096 bytes"):
        join.read(canonical.write(said).encode())


def test_request_with_a_certificate_of_more_than_16_kb_is_refused_unparsed() -> None:
    said = json.loads(make.written_request("XA"))
    request = json.loads(said["request"]) | {"node_certificate": values.write_bytes(bytes(16 * 1024 + 1))}

    with pytest.raises(Unfit, match="at most 16384 bytes"):
        join.read(canonical.write(said | {"request": canonical.write(request)}).encode())


def test_fingerprint_is_read_aloud_in_fours() -> None:
    assert join.grouped("ABCD0123EF") == "ABCD 0123 EF"


def test_nkey_verifies_what_its_seed_signed_and_nothing_else() -> None:
    seed = make.seed("XA")
    signature = nkey.sign(seed, b"content")

    assert nkey.verifies(nkey.public(seed), signature, b"content")
    assert not nkey.verifies(nkey.public(seed), signature, b"contents")
    assert not nkey.verifies(nkey.public(make.seed("XB")), signature, b"content")
    assert not nkey.verifies("U" + "A" * 55, signature, b"content")
    assert not nkey.verifies(nkey.public(seed), signature[:-1], b"content")
