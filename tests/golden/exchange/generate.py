"""Makes the vectors of the exchange protocol that a second implementation can check itself against (README.md).

Run from the root of the repository: ``PYTHONPATH=tests:src python tests/golden/exchange/generate.py``. The keys
are kept if they are there; signatures and sealed messages are new each time, since both hold random numbers.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tansiq.core.marking import Audience, Marking, Tlp
from tansiq.exchange import blob, canonical, markings
from tansiq.exchange.author import Statement, said_by
from tansiq.exchange.body import (
    BlobReference,
    Body,
    Envelope,
    Lane,
    ObjectState,
    Receipt,
    Skip,
    SkipReason,
    State,
    Version,
)
from tansiq.exchange.seal import seal_written
from tansiq.exchange.values import EMPTY_DIGEST, digest, length_prefixed
from tansiq.openpgp.sealing import Secret, generate

HERE = Path(__file__).parent
SENT_AT = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
EPOCH = 7
COMMON: dict[str, Any] = {
    "realm": "live",
    "sender": "XA",
    "recipient": "XB",
    "epoch": EPOCH,
    "sent_at": SENT_AT,
    "incarnation": "1-abcdefghijklmnop",
}
PLAIN_SIZE = 512 * 1024 + 3


def secret(name: str) -> Secret:
    """A key for tests only, made once."""
    file = HERE / "keys" / f"{name}.asc"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(generate(f"{name}, for tests only", version=6).write())
    return Secret.read(file.read_bytes())


def plaintext() -> bytes:
    """Byte i is i modulo 251."""
    return bytes(i % 251 for i in range(PLAIN_SIZE))


def bodies() -> dict[str, Body]:
    green = Marking(Tlp.GREEN, "XA-CERT")
    amber = Marking(Tlp.AMBER, "XC-CERT", Audience.of(teams=["XB-CERT"]), note="Ask first — naïve, تنسيق")
    chunks = list(blob.encrypted(io.BytesIO(plaintext()), size_bytes=PLAIN_SIZE, key=bytes(range(32))))
    reference = BlobReference(
        digest=blob.digest_of(chunks),
        key=bytes(range(32)),
        size_bytes=PLAIN_SIZE,
        media_type="text/plain",
        name="rapport é.txt",
    )
    said = Statement(
        realm="live",
        kind="team.profile",
        schema=1,
        object="XA-CERT",
        version=Version(1, 3),
        marking=markings.write([green]),
        team="XA-CERT",
        person="AMINA",
        epoch=5,
        payload=canonical.write(
            {"names": {"ar": "فريق", "en": 'The "XA" team', "fr": "L’équipe"}, "\U0001f600": 1, "\ufb33": 2}
        ),
        blobs=(reference,),
    )
    envelope = Envelope(
        **COMMON,
        id="0195512c-95fb-7000-8000-000000000001",
        lane=Lane.NORMAL,
        seq=1,
        prev=EMPTY_DIGEST,
        kind=said.kind,
        schema=said.schema,
        object=said.object,
        version=said.version,
        marking=markings.write([green, amber]),
        payload=said.payload,
        author=said.signed(secret("platform-XA-CERT")),
        blobs=said.blobs,
        extra={"x-later": {"kept": [True, None]}},
    )
    skip = Skip(
        **COMMON,
        id="0195512c-95fb-7000-8000-000000000002",
        lane=Lane.NORMAL,
        seq=2,
        prev=envelope.digest,
        last=4,
        hash_after="5a" * 32,
        reason=SkipReason.ENTITLEMENT,
    )
    receipt = Receipt(
        **{**COMMON, "sender": "XB", "recipient": "XA"},
        id="0195512c-95fb-7000-8000-000000000003",
        lane=Lane.NORMAL,
        n=12,
        through=4,
        body_hash="5a" * 32,
        highest=9,
        gaps=((5, 5), (7, 8)),
        since=3,
        changes=5,
        objects=(
            ObjectState(object="XA-CERT", version=Version(1, 3), state=State.STORED),
            ObjectState(object="XA-CERT", version=Version(1, 4), state=State.QUARANTINED, reason="payload"),
        ),
        clock=SENT_AT,
    )
    return {"envelope": envelope, "skip": skip, "receipt": receipt}


def refused(envelope: Envelope) -> list[dict[str, str]]:
    """Contents signed by XA's node that fail one check each, with its number."""
    said = envelope.fields()
    stolen = replace(envelope.author, key=secret("node-XA").fingerprint)
    failing: list[tuple[str, str, str]] = [
        ("5.4", "a space", json.dumps(said, ensure_ascii=False, separators=(", ", ":"), sort_keys=True)),
        ("5.4", "a name twice", '{"v":1,"v":1}'),
        ("5.4", "33 lists", "[" * 33 + "]" * 33),
        ("5.5", "another version of the protocol", canonical.write(said | {"v": 2})),
        ("5.5", "no position", canonical.write({name: said[name] for name in said if name != "seq"})),
        ("5.6", "an exercise", canonical.write(said | {"realm": "winter-2026"})),
        ("5.7", "for another node", canonical.write(said | {"to": "XC"})),
        ("5.7", "in another node's name", canonical.write(said | {"from": "XC"})),
        ("5.9", "a later roster", canonical.write(said | {"epoch": EPOCH + 1})),
        ("5.11", "a kind in capitals", canonical.write(said | {"kind": "Team"})),
        ("5.12", "the node's key for the team's", replace(envelope, author=stolen).written().decode()),
        ("5.13", "another payload", canonical.write(said | {"payload": "{}"})),
        ("5.13", "another name of a file", _renamed(envelope)),
        ("5.15", "looser than the author's", replace(envelope, marking=_only_clear()).written().decode()),
    ]
    return [{"check": check, "what": what, "content": content} for check, what, content in failing]


def _renamed(envelope: Envelope) -> str:
    return replace(envelope, blobs=(replace(envelope.blobs[0], name="rapport.exe"),)).written().decode()


def _only_clear() -> str:
    return markings.write([Marking(Tlp.CLEAR, "XA-CERT")])


def vectors() -> dict[str, Any]:
    made = bodies()
    envelope = made["envelope"]
    assert isinstance(envelope, Envelope)
    said = said_by(envelope)
    chunks = list(blob.encrypted(io.BytesIO(plaintext()), size_bytes=PLAIN_SIZE, key=bytes(range(32))))
    return {
        "length_prefixed": [
            {"tag": "t", "parts": [], "hex": length_prefixed("t").hex()},
            {"tag": "t", "parts": ["", "é", 12], "hex": length_prefixed("t", "", "é", 12).hex()},
        ],
        "digest_of_nothing": EMPTY_DIGEST,
        "author_signs": {"hex": said.encoded().hex(), "sha256": digest(said.encoded())},
        "bodies": {
            name: {"content": body.written().decode(), "sha256": digest(body.written())} for name, body in made.items()
        },
        "sealed": {name: base64.b64encode(_sealed(body)).decode() for name, body in made.items()},
        "refused": refused(envelope),
        "blob": {
            "key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "plaintext": f"{PLAIN_SIZE} bytes, byte i is i modulo 251",
            "chunks": [{"size_bytes": len(chunk), "sha256": digest(chunk)} for chunk in chunks],
            "last_chunk_hex": chunks[-1].hex(),
            "digest": blob.digest_of(chunks),
        },
    }


def _sealed(body: Body) -> bytes:
    by, to = secret(f"node-{body.sender}"), secret(f"node-{body.recipient}")
    return seal_written(body.written(), by=by, to=to.certificate).data


if __name__ == "__main__":
    text = json.dumps(vectors(), indent=1, ensure_ascii=False)
    (HERE / "vectors.json").write_text(f"{text}\n", encoding="utf-8")
