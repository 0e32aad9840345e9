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
from tansiq.exchange.compare import TOP, Range, item_of
from tansiq.exchange.held import Stand
from tansiq.exchange.receiving import Recall
from tansiq.exchange.requests import (
    Answer,
    Ask,
    Asked,
    ChunkGiven,
    ChunksAsked,
    ComparisonAsked,
    ComparisonGiven,
    CutAt,
    Given,
    ObjectPiece,
    Recalled,
    ReceiptAsked,
    RecoveryAsked,
    RecoveryGiven,
    RosterAsked,
    RosterGiven,
    RosterPiece,
    Standing,
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
    return {"envelope": envelope, "skip": skip, "receipt": receipt, **requests(chunks[1], reference.digest)}


def requests(chunk: bytes, blob_digest: str) -> dict[str, Body]:
    """An ask of each subject by XB, and the answers of XA to those that have one (section 3.6)."""
    since, comparison = SENT_AT, "0195512c-95fb-7000-8000-0000000000cc"
    text = b'{"a roster":"as it was signed"}'
    piece: dict[str, Any] = {"digest": digest(text), "size_bytes": len(text)}
    cut = (CutAt(lane=Lane.NORMAL, incarnation=COMMON["incarnation"], position=4),)
    pair = (bytes(range(32)), bytes(range(32, 64)))
    total = int.from_bytes(pair[1])
    listed = Range(0, TOP, total, 1, (pair,), reply=False)
    asked: dict[str, Asked] = {
        "roster": RosterAsked(epoch=7, offset=2),
        "receipt": ReceiptAsked(lane=Lane.NORMAL, incarnation=COMMON["incarnation"], since=3),
        "chunks": ChunksAsked(digest=blob_digest, runs=((1, 1),)),
        "recovery": RecoveryAsked(held=True, since=since),
        "comparison": ComparisonAsked(
            comparison=comparison, of="XB", turn=1, cut=cut, ranges=(Range(0, TOP, total + 1, 64),)
        ),
    }
    stands = (Standing(stand=Stand(Lane.NORMAL, COMMON["incarnation"], 12, 5)),)
    recall = Recalled(object="XB:case.2", recall=Recall(Version(1, 4), Version(1, 3), 6))
    gone_on = ObjectPiece(**piece, object="XB:case.3", offset=0, data=text[:9])
    given: dict[str, Given] = {
        "roster": RosterGiven(newest=7, pieces=(RosterPiece(**piece, epoch=7, offset=2, data=text[2:]),)),
        "chunks": ChunkGiven(digest=blob_digest, index=1, data=chunk),
        "recovery": RecoveryGiven(
            since=since, after="", pieces=(gone_on,), recalls=(recall,), stands=stands, complete=False
        ),
        "comparison": ComparisonGiven(comparison=comparison, turn=1, cut=cut, ranges=(listed,)),
    }
    common = {name: COMMON[name] for name in COMMON if name != "incarnation"}
    made: dict[str, Body] = {}
    for number, (name, said) in enumerate(asked.items(), start=0x10):
        ask = f"0195512c-95fb-7000-8000-0000000000{number:02x}"
        made[f"ask {name}"] = Ask(**{**common, "sender": "XB", "recipient": "XA"}, id=ask, asked=said)
        if name in given:
            other = f"0195512c-95fb-7000-8000-0000000000{number + 0x10:02x}"
            made[f"answer {name}"] = Answer(**common, id=other, answers=ask, given=given[name])
    return made


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
        ("5.4", "a chunk that ends early", "tansiq.chunk.v1\0\0\0"),
        ("5.5", "an answer to nothing that is asked", canonical.write(_asking(said, about="weather"))),
        ("5.5", "a comparison opened in another's name", canonical.write(_asking(said, about="comparison"))),
        ("5.6", "an exercise", canonical.write(said | {"realm": "winter-2026"})),
        ("5.7", "for another node", canonical.write(said | {"to": "XC"})),
        ("5.7", "in another node's name", canonical.write(said | {"from": "XC"})),
        ("5.9", "a later roster", canonical.write(said | {"epoch": EPOCH + 1})),
        ("5.11", "a kind in capitals", canonical.write(said | {"kind": "Team"})),
        ("5.11", "a name of a file that turns", _with_blob(said, name="rapport\u2067fdp.exe")),
        ("5.11", "a media type of 128 characters", _with_blob(said, media_type=f"text/{'x' * 128}")),
        ("5.11", "a signature of more than 4 kB", _with_author(said, signature="A" * (4 * 4097 // 3 + 1))),
        ("5.12", "the node's key for the team's", replace(envelope, author=stolen).written().decode()),
        ("5.13", "another payload", canonical.write(said | {"payload": "{}"})),
        ("5.13", "another name of a file", _renamed(envelope)),
        ("5.15", "looser than the author's", replace(envelope, marking=_only_clear()).written().decode()),
        ("5.15", "an embargo without digits of a second", canonical.write(said | {"marking": _with_embargo(envelope)})),
    ]
    return [{"check": check, "what": what, "content": content} for check, what, content in failing]


def _asking(envelope: dict[str, Any], *, about: str) -> dict[str, Any]:
    common = {name: envelope[name] for name in ("v", "id", "realm", "from", "to", "epoch", "sent_at")}
    asked = {
        "comparison": envelope["id"],
        "of": envelope["to"],
        "turn": 1,
        "cut": [],
        "ranges": [["A" * 43, "", "A" * 43, 0]],
        "outcome": None,
    }
    return {**common, "t": "ask", "about": about, "asked": asked}


def _renamed(envelope: Envelope) -> str:
    return replace(envelope, blobs=(replace(envelope.blobs[0], name="rapport.exe"),)).written().decode()


def _with_blob(envelope: dict[str, Any], **changes: str) -> str:
    return canonical.write(envelope | {"blobs": [envelope["blobs"][0] | changes]})


def _with_author(envelope: dict[str, Any], **changes: str) -> str:
    return canonical.write(envelope | {"author": envelope["author"] | changes})


def _with_embargo(envelope: Envelope) -> str:
    """The author's marking, and one that is not as section 1.5 says, in the order of their ids."""
    (authors,) = json.loads(envelope.author.marking)
    both = [authors, authors | {"embargo_until": "2026-03-01T12:00:00Z"}]
    return canonical.write(sorted(both, key=lambda said: digest(canonical.write(said).encode())))


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
        "author_signs": {"hex": said.encoded().hex(), "sha256": said.leaf},
        "item": _item(said),
        "bodies": {name: {**_content(body.written()), "sha256": digest(body.written())} for name, body in made.items()},
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


def _item(said: Statement) -> dict[str, str]:
    """What is compared of the version, where it is live."""
    key, leaf = item_of(said.object, said.kind, said.version, said.leaf)
    return {"key": key.hex(), "leaf": leaf.hex()}


def _content(content: bytes) -> dict[str, str]:
    """As text where it is one; a chunk's is none."""
    try:
        return {"content": content.decode()}
    except UnicodeDecodeError:
        return {"content_hex": content.hex()}


def _sealed(body: Body) -> bytes:
    by, to = secret(f"node-{body.sender}"), secret(f"node-{body.recipient}")
    return seal_written(body.written(), by=by, to=to.certificate).data


if __name__ == "__main__":
    text = json.dumps(vectors(), indent=1, ensure_ascii=False)
    (HERE / "vectors.json").write_text(f"{text}\n", encoding="utf-8")
