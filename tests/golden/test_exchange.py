"""The vectors that a second implementation checks itself against: this one agrees with them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from factories import exchange as make
from tansiq.exchange import blob, canonical, reading, trust, values
from tansiq.exchange.author import is_signed, said_by
from tansiq.exchange.body import Envelope, Placed, Receipt, Skip
from tansiq.exchange.facts import Facts, NodeKey, PlatformKey
from tansiq.exchange.requests import Answer, ChunkGiven
from tansiq.exchange.seal import Junk, Sealed, Unsealed, unsealed
from tansiq.exchange.trust import Authentic
from tansiq.openpgp.sealing import Secret

HERE = Path(__file__).parent / "exchange"
VECTORS: dict[str, Any] = json.loads((HERE / "vectors.json").read_text(encoding="utf-8"))


def secret(name: str) -> Secret:
    return Secret.read((HERE / "keys" / f"{name}.asc").read_bytes())


def facts(here: str) -> Facts:
    nodes = [
        NodeKey(code, key.fingerprint, key.certificate, 1) for code in ("XA", "XB") for key in [secret(f"node-{code}")]
    ]
    team = secret("platform-XA-CERT")
    return Facts(
        here=here,
        realm="live",
        epoch=7,
        node_keys={key.fingerprint: key for key in nodes},
        senders=frozenset({"XA", "XB"}),
        platform_keys={team.fingerprint: PlatformKey("XA-CERT", "XA", team.fingerprint, team.certificate, 1)},
        homes={"XA-CERT": "XA"},
    )


def judged(content: bytes) -> Envelope | Skip | Receipt | Junk | trust.Parked | trust.Refused | trust.Quarantined:
    body = trust.authenticate(Unsealed(content, secret("node-XA").fingerprint), facts("XB"))
    if isinstance(body, Junk):
        return body
    admitted = trust.admit(body, facts("XB"), now=make.now())
    if not isinstance(admitted, Authentic) or isinstance(admitted.head, Skip | Receipt):
        return admitted.head if isinstance(admitted, Authentic) else admitted  # type: ignore[return-value]
    return trust.examine(admitted, facts("XB"), make.LenientJudge(), now=make.now())


def prefixed(tag: str, parts: list[Any]) -> bytes:
    """Section 1.4 once more, in other words."""
    texts = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
    return tag.encode() + b"\0" + b"".join(len(text).to_bytes(8, "big") + text for text in texts)


@pytest.mark.parametrize("vector", VECTORS["length_prefixed"])
def test_length_prefixed_vector_is_what_this_program_writes(vector: dict[str, Any]) -> None:
    written = values.length_prefixed(vector["tag"], *vector["parts"])

    assert written.hex() == vector["hex"]
    assert written == prefixed(vector["tag"], vector["parts"])


def content_of(name: str) -> bytes:
    vector = VECTORS["bodies"][name]
    return vector["content"].encode() if "content" in vector else bytes.fromhex(vector["content_hex"])


@pytest.mark.parametrize("name", list(VECTORS["bodies"]))
def test_body_vector_is_read_and_written_again(name: str) -> None:
    vector = VECTORS["bodies"][name]
    content = content_of(name)

    head = reading.read_head(*reading.read_content(content))
    body = reading.read_envelope(head) if type(head) is Placed else head

    assert body.written() == content
    assert body.digest == vector["sha256"] == hashlib.sha256(content).hexdigest()
    if isinstance(body, Skip):
        assert body.prev == VECTORS["bodies"]["envelope"]["sha256"]


@pytest.mark.parametrize("name", list(VECTORS["sealed"]))
def test_sealed_vector_opens_to_its_body(name: str) -> None:
    sealed = Sealed(base64.b64decode(VECTORS["sealed"][name]))
    by, to = ("XB", "XA") if name == "receipt" or name.startswith("ask") else ("XA", "XB")

    opened = unsealed(sealed, by=[secret(f"node-{to}")], signers=facts(to).believed_certificates())

    assert opened == Unsealed(content_of(name), secret(f"node-{by}").fingerprint)


def test_chunk_vector_is_the_last_chunk_of_the_blob_behind_its_body() -> None:
    content = content_of("answer chunks")
    asked = VECTORS["bodies"]["ask chunks"]["content"]

    answer = reading.read_head(*reading.read_content(content))

    assert isinstance(answer, Answer)
    assert isinstance(answer.given, ChunkGiven)
    assert answer.given.data.hex() == VECTORS["blob"]["last_chunk_hex"]
    assert answer.answers == json.loads(asked)["id"]
    assert content == prefixed("tansiq.chunk.v1", [canonical.write(answer.fields()), answer.given.data])


def test_author_vector_is_signed_by_the_platform_key() -> None:
    envelope = judged(VECTORS["bodies"]["envelope"]["content"].encode())

    assert isinstance(envelope, Envelope)
    assert said_by(envelope).encoded().hex() == VECTORS["author_signs"]["hex"]
    assert said_by(envelope).leaf == VECTORS["author_signs"]["sha256"]
    assert is_signed(envelope, certificate=secret("platform-XA-CERT").certificate)
    assert envelope.extra == {"x-later": {"kept": [True, None]}}


def test_author_vector_is_the_encoding_of_section_4_in_other_words() -> None:
    said = json.loads(VECTORS["bodies"]["envelope"]["content"])
    author, version = said["author"], said["version"]
    key = base64.urlsafe_b64decode(said["blobs"][0]["key"] + "=")
    (one,) = said["blobs"]
    blobs = [one["digest"], key, one["size_bytes"], one["media_type"], one["name"]]

    encoded = prefixed(
        "tansiq.author.v1",
        [
            *(said["realm"], said["kind"], said["schema"], said["object"], version["term"], version["n"]),
            *(author["marking"], author["team"], author["person"], author["epoch"]),
            *(prefixed("tansiq.blobs.v1", blobs), said["payload"]),
        ],
    )

    assert encoded.hex() == VECTORS["author_signs"]["hex"]


def test_item_vector_is_the_encoding_of_section_13_in_other_words() -> None:
    said = json.loads(VECTORS["bodies"]["envelope"]["content"])
    leaf = hashlib.sha256(bytes.fromhex(VECTORS["author_signs"]["hex"])).hexdigest()
    version = [said["version"]["term"], said["version"]["n"]]

    key = prefixed("tansiq.item.v1", [said["kind"], said["object"]])
    whole = prefixed("tansiq.leaf.v1", [said["kind"], said["object"], *version, leaf, "live"])

    expected = {"key": hashlib.sha256(key).hexdigest(), "leaf": hashlib.sha256(whole).hexdigest()}
    assert expected == VECTORS["item"]


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: f"{vector['check']} {vector['what']}")
def test_refused_vector_fails_at_its_check(vector: dict[str, str]) -> None:
    outcome = judged(vector["content"].encode())

    assert not isinstance(outcome, Envelope | Skip | Receipt)
    assert outcome.check == vector["check"]


def test_blob_vector_is_what_this_program_encrypts() -> None:
    vector = VECTORS["blob"]
    plain = bytes(i % 251 for i in range(512 * 1024 + 3))

    chunks = list(blob.encrypted(io.BytesIO(plain), size_bytes=len(plain), key=values.read_bytes(vector["key"])))

    assert [{"size_bytes": len(chunk), "sha256": values.digest(chunk)} for chunk in chunks] == vector["chunks"]
    assert chunks[-1].hex() == vector["last_chunk_hex"]
    assert blob.digest_of(chunks) == vector["digest"]
