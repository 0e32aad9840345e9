"""Three nodes, their teams and keys, and the envelopes that they could send each other."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from tansiq.core.marking import Marking, Tlp
from tansiq.exchange import canonical, markings
from tansiq.exchange.author import Statement
from tansiq.exchange.body import BlobReference, Body, Envelope, Lane, Receipt, Skip, SkipReason, Version
from tansiq.exchange.facts import Facts, NodeKey, PlatformKey
from tansiq.exchange.requests import Answer, Ask, Asked, Given
from tansiq.exchange.seal import Sealed, seal, seal_written
from tansiq.exchange.values import EMPTY_DIGEST, new_id
from tansiq.openpgp.sealing import Secret, generate

EPOCH = 7
REALM = "live"
INCARNATION = "1-abcdefghijklmnop"
GREEN = markings.write([Marking(Tlp.GREEN, "XA-CERT")])
PROFILE = {"name": {"en": "XA-CERT"}, "telephone": "+999 555 0100"}


@cache
def node_secret(code: str) -> Secret:
    return generate(f"node {code}", version=6)


@cache
def platform_secret(team: str) -> Secret:
    return generate(f"{team} at its node", version=6)


def node_key(code: str) -> NodeKey:
    secret = node_secret(code)
    return NodeKey(code, secret.fingerprint, secret.certificate, from_epoch=1)


def platform_key(team: str, node: str) -> PlatformKey:
    secret = platform_secret(team)
    return PlatformKey(team, node, secret.fingerprint, secret.certificate, from_epoch=1)


def facts(*, here: str = "XB", **changes: Any) -> Facts:
    """A federation of XA, XB and XC, with one team each; nobody forwards."""
    keys = [node_key(code) for code in ("XA", "XB", "XC")]
    platforms = [platform_key(f"{code}-CERT", code) for code in ("XA", "XB", "XC")]
    usual = Facts(
        here=here,
        realm=REALM,
        epoch=EPOCH,
        node_keys={key.fingerprint: key for key in keys},
        senders=frozenset({"XA", "XB", "XC"}),
        platform_keys={key.fingerprint: key for key in platforms},
        homes={"XA-CERT": "XA", "XB-CERT": "XB", "XC-CERT": "XC"},
    )
    return replace(usual, **changes)


@dataclass
class LenientJudge:
    """Everybody is entitled, owns what it writes, and has kinds of one text; each answer can be changed."""

    entitled: Callable[[Sequence[Marking]], bool] = field(default=lambda marked: True)
    owned: bool = True
    kinds: tuple[str, ...] = ("team.profile",)
    fitting: bool = True

    def is_entitled(self, marked: Sequence[Marking], sent_at: datetime) -> bool:
        return self.entitled(marked)

    def may_write(self, envelope: Envelope) -> bool:
        return self.owned

    def knows(self, kind: str, schema: int) -> bool:
        return kind in self.kinds and schema == 1

    def fits(self, envelope: Envelope, payload: Any) -> bool:
        return self.fitting


def now() -> datetime:
    """The wall clock: the OpenPGP library judges by no other."""
    return datetime.now(UTC)


def statement(**changes: Any) -> Statement:
    usual = Statement(
        realm=REALM,
        kind="team.profile",
        schema=1,
        object="XA-CERT",
        version=Version(1, 1),
        marking=GREEN,
        team="XA-CERT",
        person="AMINA",
        epoch=EPOCH,
        payload=canonical.write(PROFILE),
    )
    return replace(usual, **changes)


def envelope(said: Statement | None = None, *, signed_by: Secret | None = None, **changes: Any) -> Envelope:
    """From XA to XB at position 1, written by XA-CERT unless told otherwise."""
    said = said or statement()
    at = now()
    usual = Envelope(
        id=new_id(at),
        realm=said.realm,
        sender="XA",
        recipient="XB",
        epoch=EPOCH,
        sent_at=at,
        lane=Lane.NORMAL,
        incarnation=INCARNATION,
        seq=1,
        prev=EMPTY_DIGEST,
        kind=said.kind,
        schema=said.schema,
        object=said.object,
        version=said.version,
        marking=said.marking,
        payload=said.payload,
        author=said.signed(signed_by or platform_secret(said.team)),
        blobs=said.blobs,
    )
    return replace(usual, **changes)


def skip(**changes: Any) -> Skip:
    at = now()
    usual = Skip(
        id=new_id(at),
        realm=REALM,
        sender="XA",
        recipient="XB",
        epoch=EPOCH,
        sent_at=at,
        lane=Lane.BULK,
        incarnation=INCARNATION,
        seq=1,
        prev=EMPTY_DIGEST,
        last=3,
        hash_after="ab" * 32,
        reason=SkipReason.LIMIT,
    )
    return replace(usual, **changes)


def receipt(**changes: Any) -> Receipt:
    at = now()
    usual = Receipt(
        id=new_id(at),
        realm=REALM,
        sender="XA",
        recipient="XB",
        epoch=EPOCH,
        sent_at=at,
        lane=Lane.NORMAL,
        incarnation=INCARNATION,
        n=1,
        through=2,
        body_hash="cd" * 32,
        highest=9,
        gaps=((3, 4), (7, 8)),
        clock=at,
    )
    return replace(usual, **changes)


def ask(asked: Asked, **changes: Any) -> Ask:
    at = now()
    usual = Ask(id=new_id(at), realm=REALM, sender="XA", recipient="XB", epoch=EPOCH, sent_at=at, asked=asked)
    return replace(usual, **changes)


def answer(given: Given, **changes: Any) -> Answer:
    at = now()
    usual = Answer(
        id=new_id(at),
        realm=REALM,
        sender="XA",
        recipient="XB",
        epoch=EPOCH,
        sent_at=at,
        answers=new_id(at),
        given=given,
    )
    return replace(usual, **changes)


def blob_reference(**changes: Any) -> BlobReference:
    usual = BlobReference(digest="ef" * 32, key=bytes(32), size_bytes=10, media_type="text/plain", name="a.txt")
    return replace(usual, **changes)


def sealed(body: Body, *, by: str = "XA", to: str = "XB") -> Sealed:
    return seal(body, by=node_secret(by), to=node_secret(to).certificate)


def sealed_said(said: dict[str, Any], *, by: str = "XA", to: str = "XB") -> Sealed:
    """A body of any fields, canonical all the same."""
    return sealed_bytes(canonical.write(said).encode(), by=by, to=to)


def sealed_bytes(content: bytes, *, by: str = "XA", to: str = "XB") -> Sealed:
    return seal_written(content, by=node_secret(by), to=node_secret(to).certificate)


WRITTEN = ("length of five octets", "old header", "old header of four octets", "twice", "armoured", "unhashed")
"""Ways in which anybody can write a signature otherwise, without a key; it stays valid."""


def written_otherwise(signature: bytes, way: str) -> bytes:
    """``signature``: binary, as this program makes it: version 6, below 192 bytes, by a present header."""
    body = signature[2:]
    assert signature[:2] == bytes([0xC2, len(body)])
    assert body[0] == 6
    size = len(body).to_bytes(4)
    ways = {
        "length of five octets": b"\xc2\xff" + size + body,
        "old header": bytes([0x88, len(body)]) + body,
        "old header of four octets": b"\x8a" + size + body,
        "twice": signature * 2,
        "armoured": b"-----BEGIN PGP SIGNATURE-----\n\n%s\n-----END PGP SIGNATURE-----\n" % base64.b64encode(signature),
        "unhashed": _with_unhashed(body),
    }
    return ways[way]


def _with_unhashed(body: bytes) -> bytes:
    """With one subpacket more among those that no signature covers (RFC 9580 section 5.2.3): a notation."""
    begin = 8 + int.from_bytes(body[4:8])
    area = body[begin + 4 : begin + 4 + int.from_bytes(body[begin : begin + 4])]
    notation = bytes([20]) + bytes(4) + bytes([0, 1, 0, 1]) + b"nv"
    more = bytes([len(notation)]) + notation + area
    changed = body[:begin] + len(more).to_bytes(4) + more + body[begin + 4 + len(area) :]
    return b"\xc2\xff" + len(changed).to_bytes(4) + changed
